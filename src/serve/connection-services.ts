/**
 * What a connection of a client works with.
 */
import type { Socket } from 'node:net';
import type { Answer } from '../http/answer.ts';
import type { Handler } from '../http/sides.ts';
import type { Authority } from '../http/authority.ts';
import type { RequestReaderOptions } from '../http1/request-reader.ts';
import type { Log } from '../util/log.ts';

export interface ConnectionServices extends RequestReaderOptions {
  readonly handler: Handler;
  /** takes over a socket on which CONNECT was answered, with the bytes that came after it */
  readonly openTunnel: (socket: Socket, authority: Authority, first: Buffer) => void;
  readonly socketTimeoutMs: number;
  /** added to answers that a connection gives itself */
  readonly answerFields?: Answer['fields'];
  readonly log: Log;
}
