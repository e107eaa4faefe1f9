/**
 * One direction of a WebSocket as a tap reads it: what comes becomes steps, and the steps, one after the other, become lines of the log.
 *
 * A step may take time (zlib, the disk), and no other is taken meanwhile. Whatever keeps one from being taken is thrown.
 */
import { Spool, type SpoolHolder, type SpoolOptions } from '../util/spool.ts';
import { Inflater } from '../websocket/inflater.ts';
import {
  CLOSE,
  closeStatus,
  MessageReader,
  type CloseStatus,
  type ControlOpcode,
  type DataOpcode,
  type MessageEvents,
} from '../websocket/messages.ts';
import type { Drains } from './drains.ts';
import type { MessageLog, Passed } from './message-log.ts';

/** What is to be done about one thing that has come. @returns a promise where that takes time */
export type Step = () => Promise<void> | undefined;

export interface TapSideOptions {
  readonly log: MessageLog;
  readonly spool: SpoolOptions;
  readonly drains: Drains;
  readonly type: Passed['type'];
  /** of messages that are compressed; undefined when none is */
  readonly keepsContext: boolean | undefined;
  /** milliseconds since the 101 */
  readonly nowMs: () => number;
  readonly onStep: (step: Step) => void;
  readonly onClose: (status: CloseStatus) => void;
}

interface Message {
  readonly opcode: DataOpcode;
  readonly masked: boolean;
  readonly compressed: boolean;
  readonly payload: Spool;
}

/** Less of a read is copied, so that it does not hold all of what came with it. */
const SMALL_BYTES = 16 * 1024;

export class TapSide implements MessageEvents, SpoolHolder {
  readonly #options: TapSideOptions;
  readonly #reader: MessageReader;
  readonly #inflater: Inflater | undefined;
  #message: Message | undefined;
  #atMs = 0;
  #closed = false;
  #over = false;

  constructor(options: TapSideOptions) {
    const { keepsContext } = options;
    this.#options = options;
    this.#reader = new MessageReader(this, keepsContext !== undefined);
    this.#inflater = keepsContext === undefined ? undefined : new Inflater(keepsContext, (bytes) => this.#inflated(bytes));
  }

  /** A close frame has come. */
  get closed(): boolean {
    return this.#closed;
  }

  /** @throws WebSocketError when nothing can be read any more */
  read(bytes: Buffer): void {
    if (this.#over) return;
    this.#atMs = this.#options.nowMs();
    this.#reader.read(bytes);
  }

  /** Nothing more is read, and nothing held. */
  release(): void {
    this.#over = true;
    this.#drop();
    this.#inflater?.close();
  }

  onFull(): void {
    this.#stop();
  }

  onBegin(opcode: DataOpcode, masked: boolean, compressed: boolean): void {
    this.#step(() => {
      const { log, spool } = this.#options;
      if (!log.stopped) this.#message = { opcode, masked, compressed, payload: new Spool(spool, this) };
      return undefined;
    });
  }

  onPiece(bytes: Buffer): void {
    const piece = bytes.length < SMALL_BYTES ? Buffer.from(bytes) : bytes;
    this.#step(() => {
      if (this.#message?.compressed === true) return this.#inflater?.write(piece);
      return this.#keep(piece) ? undefined : this.#drained();
    });
  }

  onEnd(): void {
    const atMs = this.#atMs;
    this.#step(() => {
      const message = this.#message;
      if (message === undefined) return undefined;
      return message.compressed ? this.#inflater?.end().then(() => this.#write(message, atMs)) : this.#write(message, atMs);
    });
  }

  onControl(opcode: ControlOpcode, masked: boolean, payload: Buffer): void {
    const { log, type, onClose } = this.#options;
    const passed = { atMs: this.#atMs, type, masked };
    this.#step(() => {
      log.message(passed, opcode, payload);
      if (opcode !== CLOSE) return undefined;
      this.#closed = true;
      onClose(closeStatus(payload));
      return undefined;
    });
  }

  #step(step: Step): void {
    this.#options.onStep(() => (this.#over ? undefined : step()));
  }

  /** @returns false when the disk is behind */
  #keep(piece: Buffer): boolean {
    const payload = this.#message?.payload;
    if (payload === undefined) return true;
    if (payload.size + piece.length <= this.#options.log.left) return payload.append(piece);
    this.#stop();
    return true;
  }

  #inflated(bytes: Buffer): boolean {
    const ready = this.#keep(bytes);
    if (!ready) void this.#drained()?.then(() => this.#inflater?.resume());
    return ready;
  }

  #drained(): Promise<void> | undefined {
    return this.#message && this.#options.drains.of(this.#message.payload);
  }

  #write(message: Message, atMs: number): Promise<void> | undefined {
    // It may have been given up meanwhile.
    if (this.#message !== message) return undefined;
    const { opcode, masked, payload } = message;
    const { log, type } = this.#options;
    const passed = { atMs, type, masked };
    payload.finish();
    if (payload.memory === undefined) return log.longMessage(passed, opcode, payload).finally(() => this.#drop());
    log.message(passed, opcode, payload.memory.length === 1 ? (payload.memory[0] ?? NOTHING) : Buffer.concat(payload.memory));
    this.#drop();
    return undefined;
  }

  /** There is no room for more in the log. */
  #stop(): void {
    this.#options.log.stop('length');
    this.#drop();
    this.#inflater?.close();
  }

  #drop(): void {
    this.#message?.payload.release();
    this.#message = undefined;
  }
}

const NOTHING = Buffer.alloc(0);
