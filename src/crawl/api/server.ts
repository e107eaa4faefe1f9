/**
 * The API: WebSockets at `/ws/`, all of them served by the same commands.
 *
 * A request that is no WebSocket, or for another path, is not its business. Who may ask is decided in front of it.
 * Source: RFC 6455; `ws` reads and writes its frames.
 */
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import type { Log } from '../../util/log.ts';
import type { ClientRequest, ClientSide } from '../../http/sides.ts';
import type { Jobs } from '../jobs/types.ts';
import { profile } from '../monitor/profile.ts';
import type { Resources } from '../monitor/resources.ts';
import { taskTree } from '../monitor/tasks.ts';
import type { Settings } from '../settings/settings.ts';
import type { Commands } from './command.ts';
import { jobCommands } from './commands/jobs.ts';
import { loginCommands, solverCommands } from './commands/logins.ts';
import { policyCommands } from './commands/policies.ts';
import { rateLimitCommands } from './commands/rate-limits.ts';
import { scheduleCommands } from './commands/schedules.ts';
import { subscriptionCommands } from './commands/subscriptions.ts';
import { Connection } from './connection.ts';
import { dispatching, type Dispatch } from './dispatch.ts';
import { BINARY, JSON_FORM, JSON_PROTOCOL } from './wire-forms.ts';

export interface ServerParts {
  readonly jobs: Jobs;
  readonly settings: Settings;
  readonly resources: Resources;
  /** bytes of one request */
  readonly maxRequest: number;
  readonly log: Log;
}

const PATHS = new Set(['/ws', '/ws/']);
const GOING_AWAY = 1001;
const LAST_WORDS_MS = 1000;

export class CrawlServer {
  readonly #sockets: WebSocketServer;
  readonly #connections = new Set<Connection>();
  readonly #dispatch: Dispatch;
  readonly #log: Log;

  constructor({ jobs, settings, resources, maxRequest, log }: ServerParts) {
    this.#log = log;
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: maxRequest,
      perMessageDeflate: false,
      clientTracking: true,
      handleProtocols: (offered) => (offered.has(JSON_PROTOCOL) ? JSON_PROTOCOL : ([...offered][0] ?? false)),
    });
    const commands: Commands = {
      ...jobCommands(jobs, settings),
      ...policyCommands(settings),
      ...scheduleCommands(jobs, settings),
      ...rateLimitCommands(settings),
      ...loginCommands(settings),
      ...solverCommands(settings),
      ...subscriptionCommands({ jobs, settings, resources, tasks: () => taskTree(jobs, this.#connections), log }),
      performanceProfile: async (request) => ({ body: { case: 'performanceProfile', value: await profile(request) } }),
    };
    this.#dispatch = dispatching(commands, log);
  }

  /** Whether it is for this server. */
  takes({ head }: ClientRequest): boolean {
    return head.method === 'GET' && PATHS.has(pathOf(head.target)) && head.fields.members('upgrade').includes('websocket');
  }

  /** A request that it takes. What is wrong with its handshake is answered. */
  serve({ head }: ClientRequest, client: ClientSide): void {
    const left = client.upgrade();
    if (left === undefined) return;
    const headers = Object.fromEntries(head.fields.list.map(({ name, value }) => [name.toLowerCase(), value]));
    const message = Object.assign(new IncomingMessage(new Socket()), { method: head.method, url: head.target, headers });
    this.#sockets.handleUpgrade(message, left.socket, left.first, (socket) => {
      const form = socket.protocol === JSON_PROTOCOL ? JSON_FORM : BINARY;
      const connection = new Connection({ socket, form, dispatch: this.#dispatch, log: this.#log });
      this.#connections.add(connection);
      socket.once('close', () => this.#connections.delete(connection));
    });
    left.socket.resume();
  }

  /** Say good-bye to all. */
  async close(): Promise<void> {
    const open = [...this.#sockets.clients];
    const closed = open.map((socket) => new Promise<void>((done) => socket.once('close', () => done())));
    for (const socket of open) socket.close(GOING_AWAY, 'the server stops');
    const timer = setTimeout(() => open.forEach((socket) => socket.terminate()), LAST_WORDS_MS);
    await Promise.all(closed);
    clearTimeout(timer);
    this.#sockets.close();
  }
}

function pathOf(target: string): string {
  return target.split('?', 1)[0] ?? target;
}
