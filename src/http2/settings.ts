/**
 * SETTINGS of HTTP/2, as they are said and heard.
 *
 * Source: RFC 9113 §6.5.
 */
import { CODE, DEFAULT_FRAME_SIZE, DEFAULT_WINDOW, FRAME, frameHead, Http2Error, MAX_WINDOW } from './frames.ts';
import { DEFAULT_TABLE_SIZE } from './hpack-table.ts';

/** What is not said is left out. */
export interface Settings {
  readonly headerTableSize?: number;
  readonly enablePush?: boolean;
  readonly maxConcurrentStreams?: number;
  readonly initialWindowSize?: number;
  readonly maxFrameSize?: number;
  readonly maxHeaderListSize?: number;
}

/** What holds until something else is said. */
export const DEFAULT_SETTINGS: Required<Settings> = {
  headerTableSize: DEFAULT_TABLE_SIZE,
  enablePush: true,
  maxConcurrentStreams: Infinity,
  initialWindowSize: DEFAULT_WINDOW,
  maxFrameSize: DEFAULT_FRAME_SIZE,
  maxHeaderListSize: Infinity,
};

const NAMES: readonly (keyof Settings)[] = [
  'headerTableSize',
  'enablePush',
  'maxConcurrentStreams',
  'initialWindowSize',
  'maxFrameSize',
  'maxHeaderListSize',
];
const ENTRY_BYTES = 6;

/** In the order in which they stand there. */
export function settingsFrame(settings: Settings): Buffer {
  const said = (Object.keys(settings) as (keyof Settings)[]).flatMap((name): [number, number][] => {
    const value = settings[name];
    return value === undefined || value === Infinity ? [] : [[NAMES.indexOf(name) + 1, Number(value)]];
  });
  const payload = Buffer.alloc(ENTRY_BYTES * said.length);
  said.forEach(([number, value], at) => {
    payload.writeUInt16BE(number, ENTRY_BYTES * at);
    payload.writeUInt32BE(value, ENTRY_BYTES * at + 2);
  });
  return Buffer.concat([frameHead(payload.length, FRAME.settings, 0, 0), payload]);
}

/** @throws Http2Error for what may not be said */
export function settingsOf(payload: Buffer): Settings {
  if (payload.length % ENTRY_BYTES !== 0) throw new Http2Error(CODE.frameSize, `SETTINGS of ${payload.length} bytes`);
  const settings: { -readonly [Name in keyof Settings]: Settings[Name] } = {};
  for (let at = 0; at < payload.length; at += ENTRY_BYTES) {
    const name = NAMES[payload.readUInt16BE(at) - 1];
    if (name === undefined) continue;
    const value = payload.readUInt32BE(at + 2);
    check(name, value);
    if (name === 'enablePush') settings.enablePush = value === 1;
    else settings[name] = value;
  }
  return settings;
}

function check(name: keyof Settings, value: number): void {
  if (name === 'enablePush' && value > 1) throw new Http2Error(CODE.protocol, `SETTINGS_ENABLE_PUSH is ${value}`);
  if (name === 'initialWindowSize' && value > MAX_WINDOW)
    throw new Http2Error(CODE.flowControl, `SETTINGS_INITIAL_WINDOW_SIZE is ${value}`);
  if (name === 'maxFrameSize' && (value < DEFAULT_FRAME_SIZE || value >= 2 ** 24)) {
    throw new Http2Error(CODE.protocol, `SETTINGS_MAX_FRAME_SIZE is ${value}`);
  }
}
