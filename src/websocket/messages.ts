/**
 * Messages out of the frames of one direction: fragments are put together, control frames come between them.
 *
 * Holds nothing but the payload of a control frame, 125 bytes. Strict where bytes could mean two things, lenient where they cannot: a mask that
 * is missing, or should not be there, and a close code that may not be sent are told of as they came. What follows a close frame is not read.
 * Source: RFC 6455 §5.4, §5.5, §7.4; RFC 7692 §6 (RSV1 of the first frame of a message).
 */
import { FrameReader, WebSocketError, type FrameEvents, type FrameHead } from './frames.ts';

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;
const CONTINUATION = 0;
const CONTROL = 8;

export type DataOpcode = typeof TEXT | typeof BINARY;
export type ControlOpcode = typeof CLOSE | typeof PING | typeof PONG;

export interface MessageEvents {
  /** @param masked its first frame is. @param compressed by permessage-deflate */
  onBegin(opcode: DataOpcode, masked: boolean, compressed: boolean): void;
  /** of the message that has begun */
  onPiece(bytes: Buffer): void;
  onEnd(): void;
  onControl(opcode: ControlOpcode, masked: boolean, payload: Buffer): void;
}

const RSV1 = 4;
const MAX_CONTROL_BYTES = 125;
const NOTHING = Buffer.alloc(0);

export class MessageReader implements FrameEvents {
  readonly #frames = new FrameReader(this);
  readonly #events: MessageEvents;
  readonly #deflates: boolean;
  #frame: FrameHead | undefined;
  /** a message has begun and is not complete */
  #within = false;
  #control: Buffer = NOTHING;
  #controlBytes = 0;
  #closed = false;

  /** @param deflates permessage-deflate was agreed upon */
  constructor(events: MessageEvents, deflates: boolean) {
    this.#events = events;
    this.#deflates = deflates;
  }

  /** @throws WebSocketError when nothing can be read any more; what stands before has been told of */
  read(bytes: Buffer): void {
    if (!this.#closed) this.#frames.read(bytes);
  }

  onFrame(frame: FrameHead): void {
    if (this.#closed) return;
    this.#frame = frame;
    if (frame.opcode >= CONTROL) this.#beginControl(frame);
    else this.#beginData(frame);
  }

  onPayload(bytes: Buffer): void {
    if (this.#closed || this.#frame === undefined) return;
    if (this.#frame.opcode < CONTROL) return this.#events.onPiece(bytes);
    this.#controlBytes += bytes.copy(this.#control, this.#controlBytes);
  }

  onFrameEnd(): void {
    const frame = this.#frame;
    this.#frame = undefined;
    if (this.#closed || frame === undefined) return;
    if (frame.opcode >= CONTROL) {
      const payload = this.#control;
      this.#control = NOTHING;
      this.#closed = frame.opcode === CLOSE;
      this.#events.onControl(frame.opcode as ControlOpcode, frame.masked, payload);
    } else if (frame.fin) {
      this.#within = false;
      this.#events.onEnd();
    }
  }

  #beginData({ opcode, reserved, masked }: FrameHead): void {
    if (opcode === CONTINUATION) {
      if (!this.#within) throw new WebSocketError('a continuation of no message');
      if (reserved !== 0) throw new WebSocketError(`reserved bits ${reserved} in a continuation`);
      return;
    }
    if (opcode !== TEXT && opcode !== BINARY) throw new WebSocketError(`reserved opcode ${opcode}`);
    if (this.#within) throw new WebSocketError(`opcode ${opcode} within a message`);
    const compressed = this.#deflates && (reserved & RSV1) !== 0;
    if ((compressed ? reserved & ~RSV1 : reserved) !== 0)
      throw new WebSocketError(`reserved bits ${reserved} of no extension that is known`);
    this.#within = true;
    this.#events.onBegin(opcode, masked, compressed);
  }

  #beginControl({ opcode, reserved, fin, length }: FrameHead): void {
    if (opcode > PONG) throw new WebSocketError(`reserved opcode ${opcode}`);
    if (reserved !== 0) throw new WebSocketError(`reserved bits ${reserved} in a control frame`);
    if (!fin) throw new WebSocketError('a control frame in fragments');
    if (length > MAX_CONTROL_BYTES) throw new WebSocketError(`a control frame of ${length} bytes`);
    this.#control = Buffer.alloc(length);
    this.#controlBytes = 0;
  }
}

export interface CloseStatus {
  readonly code: number;
  readonly reason: string;
}

/** No status was given (RFC 6455 §7.1.5). */
const NO_STATUS = 1005;

/** What a close frame says; what is no UTF-8 in its reason is replaced. */
export function closeStatus(payload: Buffer): CloseStatus {
  if (payload.length < 2) return { code: NO_STATUS, reason: '' };
  return { code: payload.readUInt16BE(0), reason: payload.toString('utf8', 2) };
}
