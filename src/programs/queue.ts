/**
 * The queue manager: a queue in a database, and the listener by which workers and the administrator reach it.
 *
 *   listener ─ answering ─► frontier ─► database
 */
import { EventEmitter } from 'node:events';
import type { SecureContext } from 'node:tls';
import type { ClassicLevel } from 'classic-level';
import type { Handler } from '../http/sides.ts';
import { OptionError } from '../options/error.ts';
import type { QueueSlice } from '../options/rows/queue.ts';
import { adminCalls } from '../queue/api/admin-calls.ts';
import { answering, type AnswerRequest } from '../queue/api/answering.ts';
import { Bodies } from '../queue/api/bodies.ts';
import { linkCalls } from '../queue/api/link-calls.ts';
import { SERVER } from '../queue/api/replies.ts';
import { watchCalls } from '../queue/api/watch-calls.ts';
import { workerCalls } from '../queue/api/worker-calls.ts';
import { steadyClock } from '../queue/clock.ts';
import { readPages } from '../queue/page.ts';
import { pageLinks } from '../queue/page-links.ts';
import { nameOf } from '../queue/access.ts';
import { key } from '../queue/keys.ts';
import { openQueue, type Queue } from '../queue/queue.ts';
import { RegexError } from '../regex/errors.ts';
import { createRegexes, type Regex } from '../regex/regex.ts';
import { Listener } from '../serve/listener.ts';
import { DatabaseError } from '../store/errors.ts';
import { Databases } from '../store/level/database.ts';
import { makeFolders } from '../util/folder.ts';
import type { Log } from '../util/log.ts';
import { isLoopback } from '../util/network.ts';
import { timeSlices } from '../util/slices.ts';
import { allInOrder, reasonOf } from '../util/thrown.ts';
import { serveFetch } from '../web/pages.ts';
import type { Core } from './core.ts';
import { listenAt } from './listening.ts';
import { keeper, openContent } from './queue-content.ts';
import { readTlsFiles } from './tls-files.ts';

export interface QueueManagerParts {
  readonly options: QueueSlice;
  readonly adminKey: string;
  /** let in, if they are not yet */
  readonly workerKeys?: readonly string[];
  readonly log: Log;
}

const MIB = 1024 * 1024;
/** Of LevelDB: a database of 10^8 URLs has files of some size, and of so many the index in memory; a start reads as much as the write buffer. */
export const TUNING = { cacheSize: 64 * MIB, writeBufferSize: 8 * MIB, maxFileSize: 16 * MIB, maxOpenFiles: 256 };
const BODY_TIMES = { smallMs: 60_000, largeMs: 120_000 };
/** For calls that run when it is to stop. */
const LAST_CALLS_MS = 30_000;
/** Methods that a Request has as they are; all others are refused by the name that came. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE']);

/** Emits `fatal` when pages are to be kept and cannot be any more. */
export class QueueManager extends EventEmitter<{ fatal: [error: Error] }> implements AsyncDisposable {
  /** folder of the database */
  readonly folder: string;
  readonly #queue: Queue;
  readonly #databases: Databases;
  readonly #listener: Listener;
  /** keeps the bodies of pages, if they are to be kept */
  readonly #content: Core | undefined;
  readonly #scheme: string;
  #closing: Promise<void> | undefined;

  constructor({ options, log }: QueueManagerParts, { queue, databases, filter, secure, content }: Opened) {
    super();
    this.folder = options.db;
    this.#queue = queue;
    this.#databases = databases;
    this.#content = content;
    this.#scheme = secure === undefined ? 'http' : 'https';
    content?.on('fatal', (error) => this.emit('fatal', error));
    const bodies = new Bodies(BODY_TIMES);
    const withLinks = pageLinks({ follow: options.followLinks, filter, slices: timeSlices() });
    const answer = answering({
      routes: {
        ...workerCalls({ queue, bodies, maxQueueLimit: options.maxQueueLimit, withLinks, keep: keeper(content) }),
        ...linkCalls({ queue, bodies }),
        ...adminCalls({ queue, bodies }),
        ...watchCalls({ queue, bodies }),
      },
      pages: readPages(),
      access: queue.access,
      seen: (worker) => queue.activity.request(worker),
      log,
    });
    this.#listener = new Listener({
      handler: handlerOf(answer, log),
      secureContexts: () => Promise.reject(new Error('there are no tunnels here')),
      secure,
      maxConnections: options.maxConnections,
      socketTimeoutMs: options.socketTimeout * 1000,
      headTimeoutMs: options.headTimeout * 1000,
      minRate: { bytesPerSecond: options.minRate, windowMs: options.socketTimeout * 1000 },
      answerFields: [['Server', SERVER]],
      log,
    });
  }

  /** Such as `http://127.0.0.1:8001`. */
  get url(): string {
    const { address: bound } = this.#listener;
    if (bound === undefined) throw new Error('not listening');
    return `${this.#scheme}://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
  }

  /** @throws ListenError */
  async listen({ port, address }: QueueSlice, log: Log): Promise<void> {
    await listenAt(this.#listener, { address: address === 'localhost' ? '127.0.0.1' : address, port, portFlag: '--port' });
    if (this.#scheme === 'http' && !isLoopback(this.#listener.address?.address ?? ''))
      log.warn({ address }, 'keys come in the clear from other machines: --tls-cert and --tls-key speak HTTPS');
  }

  /** Take no more calls, answer those that run, write everything. Further calls wait for the same. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#listener.stop();
    this.#queue.events.close();
    await this.#listener.drained(LAST_CALLS_MS);
    const rooms = [this.#listener, this.#queue, this.#databases, this.#content];
    await allInOrder(rooms.map((room) => () => room?.close()));
  }
}

/** What is opened for a manager. */
interface Opened {
  readonly queue: Queue;
  readonly databases: Databases;
  /** what links have to match */
  readonly filter: Regex | undefined;
  readonly secure: SecureContext | undefined;
  readonly content: Core | undefined;
}

/**
 * Open the database, then listen.
 *
 * @throws OptionError, DatabaseError, or an error whose message is one line, when it cannot start
 */
export async function startQueueManager(parts: QueueManagerParts): Promise<QueueManager> {
  const { options, log } = parts;
  const filter = filterOf(options);
  const secure = await readTlsFiles(options);
  const databases = new Databases(log);
  let content: Core | undefined;
  let queue: Queue | undefined;
  try {
    const level = await openLevel(databases, options.db);
    queue = await openQueue({
      level,
      sync: options.sync,
      rules: {
        leaseMs: options.leaseSeconds * 1000,
        revisitMs: options.minRevisitMinutes * 60_000,
        retryMs: options.retryMinutes * 60_000,
        maxAttempts: options.maxAttempts,
        maxPerHost: options.maxPerHost,
        hostDelayMs: options.hostDelay * 1000,
      },
      adminKey: parts.adminKey,
      hashKeys: options.hashKeys,
      recheckInterval: options.recheckInterval,
      clock: steadyClock(),
      log,
    });
    for (const key of parts.workerKeys ?? []) await letIn(queue, key, log);
    content = await openContent(options, log);
    const manager = new QueueManager(parts, { queue, databases, filter, secure, content });
    await manager.listen(options, log);
    return manager;
  } catch (error) {
    await allInOrder([queue, databases, content].map((room) => () => room?.close())).catch((also: unknown) =>
      log.error({ err: also }, reasonOf(also)),
    );
    throw error;
  }
}

/** What is no key of its own any more, as its name has another by now, is told and left out. */
async function letIn({ access, clock }: Queue, key: string, log: Log): Promise<void> {
  await access.add(key, clock()).catch((error: unknown) => {
    log.warn({ name: nameOf(key) }, `a key of HEROSHI_CONFIG_PATH is not let in: ${reasonOf(error)}`);
  });
}

async function openLevel(databases: Databases, folder: string): Promise<ClassicLevel> {
  const OWNER_ONLY = 0o700;
  await makeFolders(folder, OWNER_ONLY).catch(() => undefined);
  try {
    const level = (await databases.open(folder, TUNING)).level();
    await refuseForeign(level, folder);
    return level;
  } catch (error) {
    throw error instanceof DatabaseError ? error.withFlags('--db') : error;
  }
}

/** @throws DatabaseError for a database that holds something, and no queue */
async function refuseForeign(level: ClassicLevel, folder: string): Promise<void> {
  const known = await level.getMany([key.salt, key.counts]);
  const isQueue = known.some((value) => value !== undefined);
  if (isQueue || (await level.keys({ limit: 1 }).all()).length === 0) return;
  throw new DatabaseError('DATABASE_FOREIGN', folder, 'is the database of something else; name another one');
}

function filterOf({ linkFilter }: QueueSlice): Regex | undefined {
  if (linkFilter === undefined) return undefined;
  try {
    return createRegexes().read(linkFilter, 'whole');
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    throw new OptionError('linkFilter', linkFilter, `a regular expression (${error.message})`);
  }
}

/** A Request cannot have every method and target that may come; what came is told beside it. */
function handlerOf(answer: AnswerRequest, log: Log): Handler {
  return (request, client) => {
    const { method, target, fields } = request.head;
    const told = { ...request, head: { ...request.head, target: '/', method: METHODS.has(method) ? method : 'OPTIONS' } };
    const keyFields = fields.list.filter(({ name }) => /^x-heroshi-auth$/i.test(name)).length;
    serveFetch((asked) => answer(asked, { method, target, address: client.address, keyFields }), told, client, log);
  };
}
