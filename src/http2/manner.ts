/**
 * How sessions of HTTP/2 begin: those of browsers, and of a client as far as Node lets us see it.
 *
 * A client's settings come in its order, those of them that have a name here; bounds keep what it says from costing memory.
 * Source: RFC 9113 §6.5.2 (defaults); what Chromium 156 was seen to send, and what is published of Firefox.
 */
import type { Http2Manner, Http2Settings } from '../http/imitation.ts';
import type { FieldList } from './field-list.ts';
import type { Settings } from './settings.ts';

export const CHROMIUM_ORDER: readonly string[] = [':method', ':authority', ':scheme', ':path'];
const DEFAULT_WINDOW = 65_535;
const MIB = 1024 * 1024;

/** Chrome's: so much of each stream may wait for a slow client. */
const MAX_STREAM_WINDOW = 6 * MIB;
/** With less no answer would move: sessions here ask for more of a stream only when something of it has come. */
const MIN_STREAM_WINDOW = 16_384;
const MAX_TABLE = 65_536;
const MAX_FRAME = MIB;
const MAX_WINDOW = 2 ** 31 - 1;

export const BROWSER_MANNERS: Readonly<Record<'chrome' | 'firefox', Http2Manner>> = {
  chrome: manner(
    { headerTableSize: 65_536, enablePush: false, initialWindowSize: 6 * MIB, maxHeaderListSize: 262_144 },
    15 * MIB,
    CHROMIUM_ORDER,
  ),
  firefox: manner({ headerTableSize: 65_536, enablePush: false, initialWindowSize: 131_072, maxFrameSize: 16_384 }, 12 * MIB, [
    ':method',
    ':path',
    ':authority',
    ':scheme',
  ]),
};

/**
 * As a client has begun.
 *
 * @param said its settings, in its order
 * @param sessionWindow what it takes unasked, of all streams
 * @param first its first request
 * @param mostHeads bytes of heads that are taken of an answer
 */
export function mannerOf(said: Settings, sessionWindow: number, first: FieldList, mostHeads: number): Http2Manner {
  const bounds = Object.entries(said).map(([name, value]) => [name, bounded(name as keyof Settings, Number(value), mostHeads)]);
  // Whatever the client said: nobody would take what was pushed.
  const settings: Http2Settings = { ...(Object.fromEntries(bounds) as Settings), enablePush: false };
  const order = first.filter((name, at) => at % 2 === 0 && CHROMIUM_ORDER.includes(name));
  // A client that says `host` instead of `:authority` leaves a place open.
  const pseudoOrder: readonly string[] = [...order, ...CHROMIUM_ORDER.filter((name) => !order.includes(name))];
  return manner(settings, within(DEFAULT_WINDOW, sessionWindow, MAX_WINDOW), pseudoOrder);
}

function bounded(name: keyof Settings, value: number, mostHeads: number): number {
  switch (name) {
    case 'headerTableSize':
      return Math.min(value, MAX_TABLE);
    case 'enablePush':
    case 'maxConcurrentStreams':
      return value;
    case 'initialWindowSize':
      return within(MIN_STREAM_WINDOW, value, MAX_STREAM_WINDOW);
    case 'maxFrameSize':
      return Math.min(value, MAX_FRAME);
    case 'maxHeaderListSize':
      return within(16_384, value, mostHeads);
  }
}

/** @param sessionWindow at least 65,535 */
export function manner(settings: Http2Settings, sessionWindow: number, pseudoOrder: readonly string[]): Http2Manner {
  return { key: JSON.stringify([settings, sessionWindow, pseudoOrder]), settings, sessionWindow, pseudoOrder };
}

function within(least: number, value: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
