/**
 * WebSockets out of the archive: a handshake is answered when there is a WebSocket of that URL, and its messages are played.
 *
 * The latest is played, with Accept-Datetime the nearest in time. What is not there any more gives way to the one before it.
 * Source: RFC 6455 §4.2.2; RFC 7089 §2.1.
 */
import { plainAnswer } from '../http/answer.ts';
import { MessageError } from '../http/errors.ts';
import { fieldOf, Fields } from '../http/fields.ts';
import type { ResponseHead } from '../http/message.ts';
import { AS_IT_IS, type ClientRequest, type ClientSide } from '../http/sides.ts';
import { absoluteTarget, tunnelTarget } from '../http/target.ts';
import { acceptFor, httpUrl, webSocketUrl } from '../http/websocket.ts';
import { WEBSOCKET } from '../store/lanes.ts';
import { viewerOf, type Moments } from '../store/moments.ts';
import type { Found } from '../store/playback.ts';
import { readBlock } from '../warc/read/message.ts';
import { openRecord, type OpenRecord } from '../warc/read/place.ts';
import type { ReadRecord } from '../warc/read/reader.ts';
import type { PlaybackOptions } from './answer.ts';
import { acceptDatetime, withMemento } from './memento.ts';
import { playedOf } from './websocket-lines.ts';
import { WebSocketPlayer } from './websocket-player.ts';

/** Resolves when all is played, or its client has left. Never rejects. */
export type WebSocketPlayback = (request: ClientRequest, client: ClientSide) => Promise<void>;

const NOT_THERE = plainAnswer(404, '404 Not in Archive');
/** Where so many have lost their files there is nothing. */
const MAX_TRIED = 10;
const SECOND_MS = 1000;

/** For who does not want them played. */
export const noWebSockets: WebSocketPlayback = (_request, client) => {
  client.answer(NOT_THERE);
  return Promise.resolve();
};

export function webSocketPlayback({ index, dir, log, moments }: PlaybackOptions & { readonly moments?: Moments }): WebSocketPlayback {
  const nearest = async (url: string, at: Date): Promise<readonly Found[]> => {
    const second = at.getTime();
    const found = await Promise.all([
      index.find(url, WEBSOCKET, 'last', { to: new Date(second + SECOND_MS - 1) }),
      index.find(url, WEBSOCKET, 'first', { from: new Date(second + SECOND_MS) }),
    ]);
    const distance = (found: Found) => Math.abs(timeOf(found) - second);
    return found.filter((each) => each !== undefined).sort((a, b) => distance(a) - distance(b));
  };

  /** The best first. */
  async function* choices(url: string, at: Date | undefined): AsyncGenerator<Found, void> {
    if (at !== undefined) return yield* await nearest(url, at);
    let to: { to?: Date } = {};
    for (let i = 0; i < MAX_TRIED; i++) {
      const found = await index.find(url, WEBSOCKET, 'last', to);
      if (found === undefined) return;
      yield found;
      to = { to: new Date(timeOf(found) - 1) };
    }
  }

  const opened = async (url: string, at: Date | undefined): Promise<{ found: Found; open: OpenRecord } | undefined> => {
    for await (const found of choices(url, at)) {
      const open = await openRecord(dir, found);
      if (typeof open !== 'string') return { found, open };
      log.warn({ url, file: found.file, offset: found.offset, record: found.recordId }, `archived record not found: ${open}`);
    }
    return undefined;
  };

  /** As the 101 has said, which stands behind the messages. Where it does not, the client gets what it likes best: it would not go on without. */
  const protocolOf = async (messages: ReadRecord, { file, offset, length }: Found, offered: string | undefined) => {
    const open = await openRecord(dir, { file, offset: offset + length, recordId: messages.header('WARC-Concurrent-To') ?? '' });
    if (typeof open === 'string') return offered?.split(',', 1)[0]?.trim();
    try {
      const block = await readBlock(open.record);
      return block.kind === 'http' ? block.head.fields.get('sec-websocket-protocol') : undefined;
    } finally {
      await open.close();
    }
  };

  const play = async (request: ClientRequest, client: ClientSide): Promise<void> => {
    const { fields } = request.head;
    const url = urlOf(request);
    const key = keyOf(fields);
    const at = acceptDatetime(fields) ?? (await moments?.of(viewerOf(client.address, fields.get('user-agent'))));
    const archived = await opened(url, at);
    log.debug({ method: 'GET', url, status: archived === undefined ? 404 : 101 }, 'played back');
    if (archived === undefined) return client.answer(NOT_THERE);
    const { found, open } = archived;
    try {
      const protocol = await protocolOf(open.record, found, fields.get('sec-websocket-protocol'));
      const upgraded = client.upgrade({ head: withMemento(switching(key, protocol), url, found.startedAt, new Map()), form: AS_IT_IS });
      if (upgraded === undefined) return;
      const leftOut = () => log.warn({ url }, 'a message of a WebSocket is too long to be played back');
      await new WebSocketPlayer(upgraded).play(playedOf(open.record.content(), leftOut));
    } finally {
      await open.close();
    }
  };

  return async (request, client) => {
    try {
      await play(request, client);
    } catch (error) {
      if (error instanceof MessageError) return client.refuse(error);
      log.error({ err: error }, 'playback of a request failed');
      client.answer(plainAnswer(500, 'the archive cannot be read'), true);
    }
  };
}

function timeOf({ startedAt }: Found): number {
  return startedAt.getTime();
}

function urlOf({ head: { method, target }, tunnel }: ClientRequest): string {
  const asked = httpUrl(target);
  const { url } = tunnel === undefined ? absoluteTarget(method, asked) : tunnelTarget(tunnel, method, asked);
  return webSocketUrl(url);
}

/** @throws MessageError for a handshake that nobody could answer (RFC 6455 §4.2.1) */
function keyOf(fields: Fields): string {
  const key = fields.get('sec-websocket-key');
  if (key === undefined) throw new MessageError('syntax', 'handshake of a WebSocket without Sec-WebSocket-Key');
  return key;
}

function switching(key: string, protocol: string | undefined): ResponseHead {
  const fields = [fieldOf('Upgrade', 'websocket'), fieldOf('Connection', 'Upgrade'), fieldOf('Sec-WebSocket-Accept', acceptFor(key))];
  if (protocol !== undefined) fields.push(fieldOf('Sec-WebSocket-Protocol', protocol));
  return { status: 101, reason: 'Switching Protocols', minor: 1, fields: new Fields(fields) };
}
