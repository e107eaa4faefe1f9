/**
 * The messages of a WebSocket as JSON lines, kept as a body is: spooled, digested, and bounded.
 *
 * ```
 * {"ts":0.012345,"type":"sent"|"received","opcode":1|2|8|9|10,"payloadData":"…","mask":true|false}
 * {"ts":1.234567,"type":"closed","code":1000,"reason":"…","wasClean":true,"by":"client"|"origin"|"proxy"}
 * ```
 *
 * `ts` is in seconds since the 101. `payloadData` is text, and Base64 for opcode 2; where it is Base64 because text is no UTF-8, the line says so.
 * A line is written whole or not at all: what does not fit any more stops the log. How it has ended is always said.
 * Source: the proposal of iipc/warc-specifications 115.
 */
import { isUtf8 } from 'node:buffer';
import type { Spool, SpoolHolder } from '../util/spool.ts';
import { BINARY, CLOSE, closeStatus, TEXT, type ControlOpcode, type DataOpcode } from '../websocket/messages.ts';
import type { Drains } from './drains.ts';
import type { RecordedMessages, Truncation } from './capture.ts';
import { payloadPieces, type Payload } from './message-payload.ts';
import { BlockRecorder, type RecordingOptions } from './recorder.ts';

/** Which way a message went, and when: milliseconds since the 101. */
export interface Passed {
  readonly atMs: number;
  readonly type: 'sent' | 'received';
  readonly masked: boolean;
}

export interface Closed {
  readonly atMs: number;
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  readonly by: 'client' | 'origin' | 'proxy';
  /** why some of what has passed could not be read */
  readonly error?: string | undefined;
}

export class MessageLog implements SpoolHolder {
  readonly #recorder: BlockRecorder;
  readonly #maxBytes: number;
  readonly #drains: Drains;
  #truncated: Truncation | undefined;
  #stopped = false;
  #ready = true;

  /** @param maxBytes of all lines but the last */
  constructor(options: RecordingOptions, maxBytes: number, drains: Drains) {
    this.#recorder = new BlockRecorder(options, this);
    this.#maxBytes = maxBytes;
    this.#drains = drains;
  }

  /** Bytes that may still be written. */
  get left(): number {
    return this.#stopped ? 0 : this.#maxBytes - this.#recorder.bytes.size;
  }

  /** Nothing more is written, but how it has ended. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Something is missing in it. The first reason counts. */
  mark(why: Truncation): void {
    this.#truncated ??= why;
  }

  stop(why: Truncation): void {
    this.mark(why);
    this.#stopped = true;
  }

  onFull(): void {
    this.stop('length');
  }

  /** Resolves when the disk is not behind any more; undefined when it is not. */
  drained(): Promise<void> | undefined {
    return this.#ready ? undefined : this.#drained();
  }

  /** A message that is in memory. */
  message(passed: Passed, opcode: DataOpcode | ControlOpcode, payload: Buffer): void {
    if (this.stopped) return;
    const [code, text] = opcode === CLOSE ? closeText(payload) : ['', payload];
    const isText = opcode !== BINARY && (opcode === CLOSE || isUtf8(text));
    const data = isText ? JSON.stringify(text.toString()) : `"${text.toString('base64')}"`;
    const line = Buffer.from(`${begin(passed, opcode)}${data}${code}${end(passed, isText || opcode === BINARY)}`);
    if (line.length > this.left) this.stop('length');
    else this.#write(line);
  }

  /** One that is in a temporary file. @throws the file system's error when it cannot be read back */
  async longMessage(passed: Passed, opcode: DataOpcode, payload: Spool): Promise<void> {
    // Read twice: a line that would be cut is not begun.
    const as = await sizesOf(payload, opcode);
    const first = Buffer.from(`${begin(passed, opcode)}"`);
    const last = Buffer.from(`"${end(passed, as.payload === 'text' || opcode === BINARY)}`);
    if (first.length + as.bytes + last.length > this.left) return this.stop('length');
    this.#write(first);
    for await (const piece of payloadPieces(payload, as.payload)) {
      this.#write(piece);
      await this.drained();
    }
    this.#write(last);
  }

  finish({ atMs, code, reason, wasClean, by, error }: Closed): RecordedMessages {
    const line = { ts: 0, type: 'closed', code, reason, wasClean, by, ...(error === undefined ? {} : { error }) };
    this.#write(Buffer.from(`${JSON.stringify(line).replace('"ts":0', `"ts":${seconds(atMs)}`)}\n`));
    return { ...this.#recorder.finish(), truncated: this.#truncated };
  }

  #write(bytes: Buffer): void {
    this.#ready = this.#recorder.write(bytes);
  }

  async #drained(): Promise<void> {
    await this.#drains.of(this.#recorder.bytes);
    this.#ready = true;
  }
}

/** What a close frame says: its code as a member of its own, its reason as text. */
function closeText(payload: Buffer): [code: string, text: Buffer] {
  if (payload.length < 2) return ['', Buffer.alloc(0)];
  const { code, reason } = closeStatus(payload);
  return [`,"code":${code}`, Buffer.from(reason)];
}

function begin({ atMs, type }: Passed, opcode: number): string {
  return `{"ts":${seconds(atMs)},"type":"${type}","opcode":${opcode},"payloadData":`;
}

/** @param usual text as text, and what is binary in Base64 */
function end({ masked }: Passed, usual: boolean): string {
  return `,"mask":${masked}${usual ? '' : ',"encoding":"base64"'}}\n`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(6);
}

async function sizesOf(bytes: Spool, opcode: DataOpcode): Promise<{ readonly payload: Payload; readonly bytes: number }> {
  for (const payload of opcode === TEXT ? (['text', 'base64'] as const) : (['base64'] as const)) {
    const size = await sizeAs(bytes, payload);
    if (size !== undefined) return { payload, bytes: size };
  }
  throw new Error('bytes that have no Base64');
}

/** @returns undefined for text that is no UTF-8 */
async function sizeAs(bytes: Spool, payload: Payload): Promise<number | undefined> {
  let size = 0;
  try {
    for await (const piece of payloadPieces(bytes, payload)) size += piece.length;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
  return size;
}
