/**
 * A client made of a socket: sends exactly what it is told, and waits for what it is told to wait for.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { once } from 'node:events';
import { checkIdentity } from './identity.ts';

export class RawClient implements Disposable {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #closed = false;
  #wake: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#stir();
    });
    const over = () => {
      this.#closed = true;
      this.#stir();
    };
    socket.on('end', over).on('close', over).on('error', over);
  }

  /** Connect to the proxy as a client of plain HTTP. */
  static async connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host, noDelay: true, allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Connect to the proxy and through CONNECT to `authority`; with `ca` TLS is spoken inside, and the certificate verified. */
  static async tunnel(port: number, authority: string, tls?: { ca: string; servername?: string }): Promise<RawClient> {
    const outer = await RawClient.connect(port);
    outer.send(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    const head = await outer.head();
    if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`CONNECT was answered ${head}`);
    if (tls === undefined) return outer;
    outer.socket.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close');
    const host = authority.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
    const inner = connectTls({
      socket: outer.socket,
      ca: tls.ca,
      checkServerIdentity: checkIdentity,
      ...(tls.servername === undefined ? { host } : { servername: tls.servername, host }),
    });
    await once(inner, 'secureConnect');
    return new RawClient(inner);
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Resolves with everything up to and with the next empty line, Latin-1. */
  async head(): Promise<string> {
    await this.#until(() => this.#received.includes('\r\n\r\n'), 'an empty line');
    return this.#take(this.#received.indexOf('\r\n\r\n') + 4).toString('latin1');
  }

  async bytes(count: number): Promise<Buffer> {
    await this.#until(() => this.#received.length >= count, `${count} bytes`);
    return this.#take(count);
  }

  /** Everything until the proxy closes. */
  async rest(): Promise<Buffer> {
    await this.#until(() => this.#closed, 'the end');
    return this.#take(this.#received.length);
  }

  /** Head and body of one response that is framed by length or chunks, or has no body. */
  async response(method = 'GET'): Promise<{ head: string; body: Buffer; status: number }> {
    const head = await this.head();
    const status = Number(head.slice(9, 12));
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return { head, status, body: Buffer.alloc(0) };
    if (/^transfer-encoding:.*chunked/im.test(head)) return { head, status, body: await this.#chunks() };
    if (length === undefined) return { head, status, body: await this.rest() };
    return { head, status, body: await this.bytes(Number(length)) };
  }

  /** The chunks with their framing, up to the empty line after the trailers. */
  async #chunks(): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (;;) {
      const line = await this.#line();
      parts.push(line);
      const size = parseInt(line.toString('latin1'), 16);
      if (size === 0) break;
      parts.push(await this.bytes(size + 2));
    }
    for (;;) {
      const line = await this.#line();
      parts.push(line);
      if (line.length === 2) return Buffer.concat(parts);
    }
  }

  async #line(): Promise<Buffer> {
    await this.#until(() => this.#received.includes('\r\n'), 'a line');
    return this.#take(this.#received.indexOf('\r\n') + 2);
  }

  async #until(enough: () => boolean, what: string): Promise<void> {
    while (!enough()) {
      if (this.#closed)
        throw new Error(`connection closed instead of ${what}, after ${JSON.stringify(this.#received.toString('latin1', 0, 300))}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  #take(count: number): Buffer {
    const taken = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(count);
    return taken;
  }

  #stir(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  [Symbol.dispose](): void {
    this.socket.on('error', () => undefined);
    this.socket.destroy();
  }
}
