/** A tap without sockets: what it is given, and the log that comes out. */
import { tmpdir } from 'node:os';
import type { Truncation } from '../../src/capture/capture.ts';
import type { Closed } from '../../src/capture/message-log.ts';
import { MessageTap, type Side, type TapOptions } from '../../src/capture/message-tap.ts';
import { logLines, messagesIn, type LogLine } from '../support/websocket.ts';

export interface Tapped {
  readonly lines: readonly LogLine[];
  /** the same in short */
  readonly said: readonly string[];
  readonly truncated: Truncation | undefined;
  readonly failures: readonly string[];
  /** bytes of the log */
  readonly size: number;
}

export type Piece = readonly [from: Side, bytes: Buffer];

export interface Tapping extends Partial<Omit<TapOptions, 'onDrain' | 'onFailure'>> {
  readonly by?: Closed['by'];
  /** bytes of each message, and of the log, that stay in memory */
  readonly memory?: number;
}

/** Give pieces to a tap as a relay does, waiting when it is behind, until there are no more. */
export async function tapped(pieces: Iterable<Piece> | AsyncIterable<Piece>, options: Tapping = {}): Promise<Tapped> {
  const { by = 'client', memory = 64 * 1024, ...rest } = options;
  const failures: string[] = [];
  let drained: (() => void) | undefined;
  const tap = new MessageTap({
    recording: { digest: { algorithm: 'sha1', base32: false }, spool: { maxMemoryBytes: memory, dir: tmpdir() } },
    maxBytes: Infinity,
    deflate: undefined,
    nowMs: () => 1.5,
    onDrain: () => drained?.(),
    onFailure: (reason) => failures.push(reason),
    ...rest,
  });
  for await (const [from, bytes] of pieces) {
    if (!tap.take(from, bytes)) await new Promise<void>((resolve) => (drained = resolve));
  }
  const { bytes, truncated } = await tap.finish(2500, by);
  const read: Buffer[] = [];
  for await (const piece of bytes.read()) read.push(Buffer.from(piece));
  bytes.release();
  const block = Buffer.concat(read);
  return { lines: logLines({ block }), said: messagesIn({ block }), truncated, failures, size: block.length };
}

/** The same bytes, cut into pieces of so many. */
export function* cutInto(size: number, pieces: readonly Piece[]): Generator<Piece> {
  for (const [from, bytes] of pieces) {
    for (let at = 0; at < bytes.length; at += size) yield [from, bytes.subarray(at, at + size)];
  }
}
