/**
 * One HTTP/1 connection of a client of the playback proxy, plain or inside of a tunnel: requests are read strictly and answered in order.
 *
 *   head ──► body, thrown away ──► answer ──► head …
 */
import type { Socket } from 'node:net';
import type { RequestHead } from '../http/message.ts';
import type { Authenticator, Denial } from '../auth/authenticator.ts';
import { bodyReader } from '../http1/body.ts';
import { MessageError } from '../http/errors.ts';
import { keepsConnection, requestFraming } from '../http1/framing.ts';
import { HeadReader, leadingEmptyLines, parseRequestHead } from '../http1/head.ts';
import { absoluteTarget, connectTarget, percentEncoded, tunnelTarget, type Authority, type Tunnel } from '../http/target.ts';
import type { Log } from '../util/log.ts';
import { MinimumRate, type MinimumRateOptions } from '../util/minimum-rate.ts';
import { fieldLine } from '../http1/serialize.ts';
import { textContent, type Playback, type PlaybackAnswer } from './answer.ts';
import { Incoming } from './incoming.ts';
import { IncompleteError } from './message.ts';

/** Serves the requests inside of a tunnel. */
export type ServeTunnel = (socket: Socket, tunnel: Tunnel, first: Buffer) => void;

export interface PlaybackServices {
  readonly playback: Playback;
  /** asked about every request, but those inside of a tunnel; undefined: everybody is let in */
  readonly authenticator?: Authenticator | undefined;
  /** takes over a socket on which CONNECT was answered, with the bytes that came after it */
  readonly openTunnel: (socket: Socket, authority: Authority, first: Buffer, serve: ServeTunnel) => void;
  readonly socketTimeoutMs: number;
  /** from the first byte of a head to its last */
  readonly headTimeoutMs: number;
  /** of the body of a request */
  readonly minRate: MinimumRateOptions;
  readonly log: Log;
}

const TOO_LARGE = 431;
const VERSION_NOT_SUPPORTED = 505;
const NOTHING = Buffer.alloc(0);

/** Resolves when the connection is over, or was handed to a tunnel. Never rejects. */
export async function serveConnection(
  socket: Socket,
  services: PlaybackServices,
  serveTunnel: ServeTunnel,
  tunnel: Tunnel | undefined,
  first: Buffer,
): Promise<void> {
  const { socketTimeoutMs, log } = services;
  const onError = (error: Error) => log.debug({ reason: error.message }, 'connection of a playback client failed');
  const onTimeout = () => socket.destroy();
  socket.on('error', onError).on('timeout', onTimeout);
  socket.setTimeout(socketTimeoutMs);
  const incoming = new Incoming(socket, first);
  try {
    for (;;) {
      const head = await readHead(incoming, services.headTimeoutMs);
      if (head === undefined) break;
      const denial = tunnel === undefined ? await services.authenticator?.check(head) : undefined;
      if (denial !== undefined) {
        const body = await skipBody(head, incoming, services.minRate);
        if (body === 'cut') break;
        const close = !keepsConnection(head) || body === 'left';
        await deny(socket, denial, head.method, close);
        if (close) break;
        continue;
      }
      if (head.method === 'CONNECT') {
        const authority = connectAuthority(head, tunnel);
        const early = incoming.detach();
        socket.removeListener('error', onError).removeListener('timeout', onTimeout);
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n', 'latin1');
        services.openTunnel(socket, authority, early, serveTunnel);
        return;
      }
      const url = urlOf(head, tunnel);
      const body = await skipBody(head, incoming, services.minRate);
      if (body === 'cut') break;
      const close = !keepsConnection(head) || body === 'left';
      const then = await answer(socket, services, head, url, close);
      if (then === 'cut') return cut(socket, incoming);
      if (then === 'end') break;
    }
  } catch (error) {
    if (!(error instanceof MessageError)) log.error({ err: error }, 'playback of a request failed');
    if (!socket.writable) return void socket.destroy();
    await refuse(socket, error);
  }
  finish(socket, incoming);
}

/** @returns undefined when the client has no more requests, or is too slow; @throws MessageError */
async function readHead(incoming: Incoming, timeoutMs: number): Promise<RequestHead | undefined> {
  const reader = new HeadReader();
  let sinceMs: number | undefined;
  for (;;) {
    const received = await incoming.next();
    if (received === undefined) return undefined;
    const bytes = reader.pending === 0 ? received.subarray(leadingEmptyLines(received)) : received;
    const found = bytes.length === 0 ? undefined : reader.push(bytes);
    if (found === undefined) {
      sinceMs ??= performance.now();
      if (performance.now() - sinceMs > timeoutMs) return undefined;
      continue;
    }
    incoming.unread(found.rest);
    return parseRequestHead(found.head);
  }
}

function connectAuthority(head: RequestHead, tunnel: Tunnel | undefined): Authority {
  if (tunnel !== undefined) throw new MessageError('syntax', 'CONNECT inside of a tunnel', head.target);
  if (!bodyReader(requestFraming(head), true).done) throw new MessageError('syntax', 'CONNECT with a body', head.target);
  return connectTarget(head.target);
}

/** The URL under which it would be archived; custom records may have any URI. */
function urlOf({ method, target }: RequestHead, tunnel: Tunnel | undefined): string {
  if (tunnel !== undefined) return tunnelTarget(tunnel, method, target).url;
  return /^(?!http:)[a-z][a-z0-9+.-]*:./i.test(target) ? percentEncoded(target) : absoluteTarget(method, target).url;
}

/** A client that waits to be asked for the body of its request gets its answer instead: `left`. */
async function skipBody(head: RequestHead, incoming: Incoming, minRate: MinimumRateOptions): Promise<'read' | 'left' | 'cut'> {
  const body = bodyReader(requestFraming(head), true);
  if (!body.done && head.fields.members('expect').includes('100-continue')) return 'left';
  const rate = new MinimumRate(minRate);
  while (!body.done) {
    const bytes = await incoming.next();
    if (bytes === undefined || rate.tooSlow(bytes.length)) return 'cut';
    incoming.unread(bytes.subarray(body.read(bytes, 0, [])));
  }
  return 'read';
}

/** @returns what is to become of the connection */
async function answer(
  socket: Socket,
  { playback, log }: PlaybackServices,
  { method, minor }: RequestHead,
  url: string,
  close: boolean,
): Promise<'next' | 'end' | 'cut'> {
  const found = await playback({ method, url, minor });
  const last = close || found.close;
  log.debug({ method, url, status: Number(found.lines.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length)) }, 'played back');
  try {
    await send(socket, found, last);
    return last ? 'end' : 'next';
  } catch (error) {
    if (!(error instanceof IncompleteError)) log.error({ url, err: error }, 'playback broke off');
    return 'cut';
  } finally {
    await found.release();
  }
}

/** Stops when the client has gone. @throws what the body throws */
async function send(socket: Socket, { lines, body }: Omit<PlaybackAnswer, 'release'>, close: boolean): Promise<void> {
  // Head and first piece of the body leave in one write.
  socket.cork();
  let corked = true;
  const uncork = () => {
    if (corked) socket.uncork();
    corked = false;
  };
  try {
    socket.write(`${lines}${close ? 'Connection: close\r\n' : ''}\r\n`, 'latin1');
    for await (const piece of body) {
      if (!socket.writable) return;
      const room = socket.write(piece);
      uncork();
      if (!room) await drained(socket);
    }
  } finally {
    uncork();
  }
}

/** Resolves when there is room for more, or never will be. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    const done = () => {
      socket.removeListener('drain', done).removeListener('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

async function deny(socket: Socket, { status, line, fields }: Denial, method: string, close: boolean): Promise<void> {
  const content = textContent(status, `${line}\n`, method);
  await send(socket, { ...content, lines: content.lines + fields.map(([name, value]) => fieldLine(name, value)).join('') }, close);
}

async function refuse(socket: Socket, error: unknown): Promise<void> {
  const code = error instanceof MessageError ? error.code : undefined;
  const status = code === undefined ? 500 : code === 'too-large' ? TOO_LARGE : code === 'version' ? VERSION_NOT_SUPPORTED : 400;
  const text = error instanceof MessageError ? error.message : 'the archive cannot be read';
  await send(socket, textContent(status, `${text}\n`, 'GET'), true);
}

/** Nothing more is read; what was written still goes out. */
function finish(socket: Socket, incoming: Incoming): void {
  incoming.detach();
  socket.end();
  // What a client still sends is thrown away: closing on unread bytes would reset the connection before it has read the answer.
  socket.resume();
}

/** Close in the middle of an answer, without a TLS close_notify, so that the client can see that something is missing. */
function cut(socket: Socket, incoming: Incoming): void {
  incoming.detach();
  socket.resume();
  socket.write(NOTHING, () => socket.destroy());
}
