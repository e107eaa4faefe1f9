/** A client's socket, read as answers come; large ones, too. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { LOGIN_LINE } from './plan.ts';

/** The proxy has closed, or cut, the connection. */
export class Closed extends Error {}

/** Without a byte for so long something is wrong: the proxy answers everything, if only with an error. */
const STALLED_MS = 30_000;

export interface Response {
  readonly head: string;
  readonly status: number;
  /** with its chunks; what came of it when it was cut */
  readonly body: Buffer;
  readonly cut: boolean;
  /** no further request is read */
  readonly last: boolean;
}

export class Wire implements Disposable {
  readonly socket: Socket;
  #pieces: Buffer[] = [];
  #length = 0;
  #over: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    const over = (error: Error) => {
      this.#over ??= error;
      this.#wake?.();
    };
    socket.on('data', (piece: Buffer) => {
      this.#pieces.push(piece);
      this.#length += piece.length;
      this.#wake?.();
    });
    socket.on('end', () => over(new Closed('closed by the proxy')));
    socket.on('close', () => over(new Closed('closed')));
    socket.on('error', (error) => over(new Closed(error.message)));
    socket.setTimeout(STALLED_MS, () => {
      over(new Error(`not a byte for ${STALLED_MS / 1000} s`));
      socket.destroy();
    });
  }

  static async connect(port: number): Promise<Wire> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new Wire(socket);
  }

  /** Through CONNECT; with `ca` TLS is spoken inside, and the certificate verified for the host. */
  static async tunnel(port: number, authority: string, ca?: string): Promise<Wire> {
    const outer = await Wire.connect(port);
    outer.socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${LOGIN_LINE}\r\n`);
    const head = await outer.head();
    if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`CONNECT was answered ${head}`);
    if (ca === undefined) return outer;
    const { socket } = outer;
    socket.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close').setTimeout(0);
    const host = authority.replace(/:\d+$/, '');
    const inner = connectTls({ socket, ca, host, servername: host });
    try {
      await once(inner, 'secureConnect');
    } catch (error) {
      socket.destroy();
      throw error;
    }
    inner.once('close', () => socket.destroy());
    return new Wire(inner);
  }

  write(...pieces: (string | Buffer)[]): void {
    for (const piece of pieces) this.socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
  }

  async head(): Promise<string> {
    let searched = 0;
    for (;;) {
      const all = this.#joined();
      const end = all.indexOf('\r\n\r\n', Math.max(0, searched - 3));
      if (end !== -1) return this.#take(end + 4).toString('latin1');
      searched = all.length;
      await this.#more();
    }
  }

  /** A final response; interim ones are told. */
  async response(method: string, onInterim?: (head: string) => void): Promise<Response> {
    for (;;) {
      const head = await this.head();
      const status = Number(head.slice(9, 12));
      if (status >= 200) return this.#rest(method, head, status);
      onInterim?.(head);
    }
  }

  async #rest(method: string, head: string, status: number): Promise<Response> {
    const parts: Buffer[] = [];
    let last = /^connection: *close\r$/im.test(head);
    let cut = false;
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    try {
      if (method === 'HEAD' || status === 204 || status === 304) {
        // no body
      } else if (/^transfer-encoding:.*chunked/im.test(head)) {
        await this.#chunks(parts);
      } else if (length !== undefined) {
        await this.#read(Number(length), parts);
      } else {
        last = true;
        await this.#read(Infinity, parts);
      }
    } catch (error) {
      if (!(error instanceof Closed)) throw error;
      cut = !last || length !== undefined || /^transfer-encoding:/im.test(head);
      last = true;
    }
    return { head, status, body: Buffer.concat(parts), cut, last };
  }

  /** Everything that still comes. */
  async untilClosed(): Promise<Buffer> {
    const parts: Buffer[] = [];
    try {
      await this.#read(Infinity, parts);
    } catch (error) {
      if (!(error instanceof Closed)) throw error;
    }
    return Buffer.concat(parts);
  }

  async #chunks(parts: Buffer[]): Promise<void> {
    let size: number;
    do {
      const line = await this.#line();
      parts.push(line);
      size = parseInt(line.toString('latin1'), 16);
      // A chunk that makes no sense: the proxy cuts the connection behind it.
      if (Number.isNaN(size)) await this.#read(Infinity, parts);
      if (size > 0) await this.#read(size + 2, parts);
    } while (size > 0);
    let line: Buffer;
    do parts.push((line = await this.#line()));
    while (line.length > 2);
  }

  /** What has come stays in `parts` when the connection ends. */
  async #read(count: number, parts: Buffer[]): Promise<void> {
    for (let left = count; left > 0;) {
      if (this.#length === 0) await this.#more();
      const bytes = this.#take(Math.min(left, this.#length));
      parts.push(bytes);
      left -= bytes.length;
    }
  }

  async #line(): Promise<Buffer> {
    for (;;) {
      const end = this.#joined().indexOf('\r\n');
      if (end !== -1) return this.#take(end + 2);
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    if (this.#over !== undefined) throw this.#over;
    await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
  }

  #joined(): Buffer {
    if (this.#pieces.length !== 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0]!;
  }

  #take(count: number): Buffer {
    const all = this.#joined();
    this.#pieces = count < all.length ? [all.subarray(count)] : [];
    this.#length -= count;
    return all.subarray(0, count);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
