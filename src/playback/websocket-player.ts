/**
 * One archived WebSocket played to a client: what the origin sent is sent again, at its times; what the client sends is read and let go of.
 *
 * Owns the socket. Answers pings and close frames of the client, as RFC 6455 §5.5 asks of everybody; never holds what it sends.
 */
import { performance } from 'node:perf_hooks';
import type { Upgraded } from '../http/sides.ts';
import { closeFrame, frame, frameHead } from '../websocket/frame-bytes.ts';
import { CLOSE, MessageReader, PING, PONG, closeStatus, type ControlOpcode, type MessageEvents } from '../websocket/messages.ts';
import type { Played } from './websocket-lines.ts';

/** Between two messages: nobody waits for hours again. */
export const MAX_GAP_MS = 10_000;
/** For the close frame of the client, and for one that takes nothing. */
const CLOSING_MS = 5_000;
const STUCK_MS = 60_000;
const [NO_STATUS, ABNORMAL] = [1005, 1006] as const;

export class WebSocketPlayer implements MessageEvents {
  readonly #socket: Upgraded['socket'];
  readonly #reader = new MessageReader(this, false);
  /** a close frame was sent */
  #closing = false;
  #wake: (() => void) | undefined;

  constructor({ socket, first }: Upgraded) {
    this.#socket = socket;
    const stir = () => this.#wake?.();
    socket.setKeepAlive(true, STUCK_MS);
    socket.setTimeout(STUCK_MS, () => socket.destroy());
    socket
      .on('data', (bytes: Buffer) => this.#read(bytes))
      .on('error', stir)
      .on('end', () => socket.end())
      .on('close', stir)
      .on('drain', stir);
    if (first.length > 0) this.#read(first);
    socket.resume();
  }

  /** Resolves when it is over, for either side. @throws what reading throws */
  async play(messages: AsyncIterable<Played>): Promise<void> {
    let dueMs = performance.now();
    let lastMs = 0;
    for await (const played of messages) {
      dueMs += Math.min(Math.max(played.atMs - lastMs, 0), MAX_GAP_MS);
      lastMs = played.atMs;
      await this.#until(dueMs);
      if (this.#over) break;
      if (played.kind === 'closed') {
        this.#close(played.code, played.reason);
        break;
      }
      this.#socket.write(frameHead(played.opcode, played.payload.length));
      if (!this.#socket.write(played.payload)) await this.#changed();
    }
    // A log that does not say how it ended is one that was cut.
    if (!this.#closing) this.#socket.end();
    await this.#gone();
  }

  onBegin(): void {
    // Whatever the client sends, the same is played.
  }

  onPiece(): void {
    // As above.
  }

  onEnd(): void {
    // As above.
  }

  onControl(opcode: ControlOpcode, _masked: boolean, payload: Buffer): void {
    if (opcode === PING) this.#socket.write(frame(PONG, payload));
    if (opcode !== CLOSE) return;
    const { code, reason } = closeStatus(payload);
    if (!this.#closing) this.#close(code, reason);
    this.#socket.end();
  }

  get #over(): boolean {
    return this.#closing || this.#socket.destroyed || !this.#socket.writable;
  }

  #read(bytes: Buffer): void {
    try {
      this.#reader.read(bytes);
    } catch {
      // It speaks something else.
      this.#socket.destroy();
    }
    if (this.#over) this.#wake?.();
  }

  #close(code: number, reason: string): void {
    this.#closing = true;
    if (code === ABNORMAL) return void this.#socket.end();
    this.#socket.write(code === NO_STATUS ? closeFrame(undefined) : closeFrame(code, reason));
    this.#socket.setTimeout(CLOSING_MS);
  }

  /** Resolves at that time, or when it is over. */
  async #until(dueMs: number): Promise<void> {
    for (let leftMs = dueMs - performance.now(); leftMs > 0 && !this.#over; leftMs = dueMs - performance.now()) {
      const timer = setTimeout(() => this.#wake?.(), leftMs);
      await this.#changed();
      clearTimeout(timer);
    }
  }

  async #gone(): Promise<void> {
    while (!this.#socket.destroyed) await this.#changed();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
