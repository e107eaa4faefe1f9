/**
 * A connection to an origin in HTTP/1 with both of its ends, and somebody who asks over it.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { after, before } from 'node:test';
import { Http1Origin } from '../../src/fetch/http1-origin.ts';
import type { AnswerEvents, OutgoingRequest } from '../../src/fetch/origin-connection.ts';
import { outgoingRequest } from '../support/outgoing.ts';

let server: Server;
const accepted: Socket[] = [];
before(async () => {
  server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    socket.setEncoding('latin1').on('error', () => undefined);
    accepted.push(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(() => {
  server.close();
  for (const socket of accepted) socket.destroy();
});

/** Notes what it is told of an answer; pieces of a body that follow each other are one. */
export class Asker implements AnswerEvents {
  readonly told: string[] = [];
  #changed: () => void = () => {};

  onInterim({ status }: Parameters<AnswerEvents['onInterim']>[0]): void {
    this.#tell(`interim ${status}`);
  }

  onHead({ status }: Parameters<AnswerEvents['onHead']>[0], { kind }: Parameters<AnswerEvents['onHead']>[1], bytes: Buffer): void {
    this.#tell(`head ${status} ${kind} ${bytes.length}`);
  }

  onBody(piece: Buffer, payload: readonly Buffer[]): void {
    this.#tell(`body ${piece.toString('latin1')}|${payload.join('')}`);
  }

  onRead(_received: number, whole: boolean, exact: boolean): void {
    if (whole) this.#tell(exact ? 'whole' : 'whole, not exact');
  }

  onLost({ code, message }: Parameters<AnswerEvents['onLost']>[0], truncated: string, unanswered: boolean): void {
    this.#tell(`lost ${code} ${truncated}${unanswered ? ' unanswered' : ''}: ${message}`);
  }

  onTrailers(): void {
    throw new Error('trailers of HTTP/1 are a part of its body');
  }

  onDrain(): void {
    this.#tell('drain');
  }

  /** Resolves when something was told that begins with this. */
  async until(start: string): Promise<void> {
    while (!this.told.some((line) => line.startsWith(start))) await new Promise<void>((resolve) => (this.#changed = resolve));
  }

  #tell(line: string): void {
    this.told.push(line);
    this.#changed();
  }
}

export interface Pair {
  readonly connection: Http1Origin;
  /** the other end */
  readonly origin: Socket;
  /** Ask; resolves when the origin has the head. */
  readonly ask: (wanted?: Partial<OutgoingRequest>) => Promise<Asker>;
}

export async function pair(idleMs = 0): Promise<Pair> {
  const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', noDelay: true });
  const [[origin]] = (await Promise.all([once(server, 'connection'), once(socket, 'connect')])) as [[Socket], unknown];
  const connection = new Http1Origin(socket, 'key', '127.0.0.1', idleMs, (error) => assert.fail(String(error)));
  return {
    connection,
    origin,
    ask: async (wanted) => {
      const asker = new Asker();
      connection.request(outgoingRequest(wanted), [], asker);
      const [head] = (await once(origin, 'data')) as [string];
      assert.equal(head, connection.sentHead.toString('latin1'));
      return asker;
    },
  };
}

/** A connection that has been used once, and was put away. */
export async function reused(): Promise<Pair> {
  const used = await pair();
  const asker = await used.ask();
  used.origin.write(OK);
  await asker.until('whole');
  used.connection.release();
  used.connection.park(() => {});
  return used;
}

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
/** What its asker is told of that. */
export const OK_TOLD = ['head 200 length 38', 'body ok|ok', 'whole'];
/** Time for what is not expected to happen. */
export const turns = () => new Promise((resolve) => setTimeout(resolve, 20));
