/**
 * HTTP/2 frame by frame, right or wrong, as no library would send it.
 *
 * Source: RFC 9113 §4.1 (frames), RFC 7541 §6.2.2 (literal fields without indexing).
 */
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { tunnelTls } from './http2.ts';

export const TYPE = {
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
export const FLAG = { endStream: 1, ack: 1, endHeaders: 4 } as const;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** How a client begins (RFC 9113 §3.4). */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Those that are complete, and how many bytes they have. */
export function framesOf(bytes: Buffer): { readonly frames: readonly Frame[]; readonly length: number } {
  const frames: Frame[] = [];
  let at = 0;
  while (bytes.length - at >= 9) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    const [type = 0, flags = 0] = bytes.subarray(at + 3, at + 5);
    frames.push({ type, flags, stream: bytes.readUInt32BE(at + 5) & 0x7fffffff, payload: Buffer.from(bytes.subarray(at + 9, end)) });
    at = end;
  }
  return { frames, length: at };
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** @param fields Latin-1 */
export function fieldBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

/** A string without Huffman's code. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([integer(bytes.length), bytes]);
}

/** With a prefix of seven bits (RFC 7541 §5.1). */
function integer(value: number): Buffer {
  if (value < 127) return Buffer.from([value]);
  const bytes = [127];
  let left = value - 127;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Buffer.from([...bytes, left]);
}

export class FrameClient implements Disposable {
  readonly socket: TLSSocket;
  readonly frames: Frame[] = [];
  #received = Buffer.alloc(0);
  #closed = false;
  #wake: () => void = () => undefined;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
  }

  /** The session has begun, and both have said their settings. */
  static async connect(port: number, authority: string, ca: string, settings: Buffer = Buffer.alloc(0)): Promise<FrameClient> {
    const socket = await tunnelTls(port, authority, ca, ['h2']);
    const client = new FrameClient(socket);
    client.send(Buffer.from(PREFACE), frame(TYPE.settings, 0, 0, settings));
    await client.until(({ type, flags }) => type === TYPE.settings && flags === FLAG.ack);
    client.send(frame(TYPE.settings, FLAG.ack, 0));
    return client;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(...frames: readonly Buffer[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(frames));
  }

  headers(stream: number, fields: readonly (readonly [string, string])[], endStream = true): void {
    this.send(frame(TYPE.headers, FLAG.endHeaders | (endStream ? FLAG.endStream : 0), stream, fieldBlock(fields)));
  }

  data(stream: number, bytes: string | Buffer, endStream = true): void {
    this.send(frame(TYPE.data, endStream ? FLAG.endStream : 0, stream, Buffer.from(bytes)));
  }

  /** Resolves with the first frame that is looked for, or with undefined when the connection has ended without it. */
  async until(wanted: (frame: Frame) => boolean): Promise<Frame | undefined> {
    for (;;) {
      const found = this.frames.find(wanted);
      if (found !== undefined || this.#closed) return found;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async ended(): Promise<void> {
    if (!this.#closed) await once(this.socket, 'close');
  }

  /** How a stream was answered: `status 400`, `reset 1`, or `closed` with the code of GOAWAY. Only statuses of the static table are known. */
  async outcome(stream: number): Promise<string> {
    const found = await this.until(
      (each) => each.type === TYPE.goaway || (each.stream === stream && (each.type === TYPE.headers || each.type === TYPE.reset)),
    );
    if (found === undefined) return 'closed';
    if (found.type === TYPE.goaway) return `goaway ${found.payload.readUInt32BE(4)}`;
    if (found.type === TYPE.reset) return `reset ${found.payload.readUInt32BE(0)}`;
    return `status ${STATUS[found.payload[0] ?? 0] ?? 'other'}`;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    const { frames, length } = framesOf(this.#received);
    this.frames.push(...frames);
    this.#received = this.#received.subarray(length);
    this.#wake();
  }
}

/** Indexed fields of the static table (RFC 7541 appendix A). */
const STATUS: Readonly<Record<number, number>> = { 0x88: 200, 0x89: 204, 0x8a: 206, 0x8b: 304, 0x8c: 400, 0x8d: 404, 0x8e: 500 };
