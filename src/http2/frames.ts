/**
 * Frames of HTTP/2: read from whatever pieces bytes come in, and written.
 *
 * Source: RFC 9113 §4.1, §6, §7.
 */

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const;

/** ACK is END_STREAM's bit, on frames of connections. */
export const FLAG = { ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

/** RFC 9113 §7 */
export const CODE = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSize: 6,
  refused: 7,
  cancel: 8,
  compression: 9,
  connect: 10,
  calm: 11,
  inadequateSecurity: 12,
  http1Required: 13,
} as const;

const CODE_NAMES =
  'NO_ERROR PROTOCOL_ERROR INTERNAL_ERROR FLOW_CONTROL_ERROR SETTINGS_TIMEOUT STREAM_CLOSED FRAME_SIZE_ERROR REFUSED_STREAM CANCEL ' +
  'COMPRESSION_ERROR CONNECT_ERROR ENHANCE_YOUR_CALM INADEQUATE_SECURITY HTTP_1_1_REQUIRED';

/** As RFC 9113 §7 calls it. */
export function codeName(code: number): string {
  return CODE_NAMES.split(' ')[code] ?? String(code);
}

export const FRAME_HEAD = 9;
export const DEFAULT_FRAME_SIZE = 16_384;
export const DEFAULT_WINDOW = 65_535;
export const MAX_WINDOW = 2 ** 31 - 1;
/** How a client begins (RFC 9113 §3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

const NOTHING = Buffer.alloc(0);

/** What the other side did to end a connection, or a stream of it. */
export class Http2Error extends Error {
  override readonly name = 'Http2Error';
  /** RFC 9113 §7 */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export interface FrameEvents {
  /** @param payload a slice of what was pushed, or of a copy */
  onFrame(type: number, flags: number, stream: number, payload: Buffer): void;
}

/** Takes bytes apart; holds what there is of a frame until all of it has come, at most its head and the largest payload. */
export class FrameReader {
  readonly #maxPayload: number;
  readonly #events: FrameEvents;
  #pieces: Buffer[] = [];
  #kept = 0;
  /** bytes without which nothing can be told */
  #needed = FRAME_HEAD;
  #stopped = false;

  constructor(maxPayload: number, events: FrameEvents) {
    this.#maxPayload = maxPayload;
    this.#events = events;
  }

  /** Tell nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#pieces = [];
    this.#kept = 0;
  }

  /** @throws Http2Error for a frame that is too large, and whatever is thrown by whom it tells */
  push(piece: Buffer): void {
    if (this.#stopped) return;
    let bytes = piece;
    if (this.#kept > 0) {
      this.#pieces.push(piece);
      this.#kept += piece.length;
      if (this.#kept < this.#needed) return;
      bytes = Buffer.concat(this.#pieces, this.#kept);
      this.#pieces = [];
      this.#kept = 0;
    }
    const rest = this.#tell(bytes);
    if (rest === bytes.length || this.#isStopped()) return;
    this.#kept = bytes.length - rest;
    this.#pieces.push(rest === 0 ? bytes : bytes.subarray(rest));
  }

  /** Whoever is told of a frame may have stopped it. */
  #isStopped(): boolean {
    return this.#stopped;
  }

  /** @returns where the first frame begins that is not complete */
  #tell(bytes: Buffer): number {
    let at = 0;
    this.#needed = FRAME_HEAD;
    while (bytes.length - at >= FRAME_HEAD && !this.#stopped) {
      const length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
      if (length > this.#maxPayload) throw new Http2Error(CODE.frameSize, `frame of ${length} bytes, expected at most ${this.#maxPayload}`);
      const end = at + FRAME_HEAD + length;
      if (end > bytes.length) {
        this.#needed = FRAME_HEAD + length;
        break;
      }
      const stream = bytes.readUInt32BE(at + 5) & MAX_WINDOW;
      const payload = length === 0 ? NOTHING : bytes.subarray(at + FRAME_HEAD, end);
      this.#events.onFrame(bytes[at + 3] ?? 0, bytes[at + 4] ?? 0, stream, payload);
      at = end;
    }
    return at;
  }
}

/** The nine bytes in front of a payload. */
export function frameHead(length: number, type: number, flags: number, stream: number): Buffer {
  const head = Buffer.allocUnsafe(FRAME_HEAD);
  head[0] = length >>> 16;
  head[1] = length >>> 8;
  head[2] = length;
  head[3] = type;
  head[4] = flags;
  head[5] = stream >>> 24;
  head[6] = stream >>> 16;
  head[7] = stream >>> 8;
  head[8] = stream;
  return head;
}

/** A frame whose payload is numbers of four bytes. */
export function numbersFrame(type: number, stream: number, ...numbers: readonly number[]): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD + 4 * numbers.length);
  frameHead(4 * numbers.length, type, 0, stream).copy(frame);
  numbers.forEach((number, at) => frame.writeUInt32BE(number, FRAME_HEAD + 4 * at));
  return frame;
}

/** A block of fields as HEADERS and as many CONTINUATION as it takes. */
export function headersFrames(block: Buffer, stream: number, ended: boolean, maxPayload: number): Buffer {
  const flags = ended ? FLAG.endStream : 0;
  if (block.length <= maxPayload) return Buffer.concat([frameHead(block.length, FRAME.headers, flags | FLAG.endHeaders, stream), block]);
  const frames: Buffer[] = [];
  for (let at = 0; at < block.length; at += maxPayload) {
    const part = block.subarray(at, at + maxPayload);
    const last = at + maxPayload >= block.length ? FLAG.endHeaders : 0;
    frames.push(frameHead(part.length, at === 0 ? FRAME.headers : FRAME.continuation, at === 0 ? flags | last : last, stream), part);
  }
  return Buffer.concat(frames);
}
