/**
 * Writes responses of origins to an HTTP/1 client: head and first piece of the body in one write, chunks taken off where they cannot be read.
 *
 * Used for one request after the other; never ends or closes the socket.
 */
import type { Socket } from 'node:net';
import type { Framing, ResponseHead } from '../http/message.ts';
import type { AnswerForm, Switching } from '../http/sides.ts';
import { responseLines } from '../http1/forward.ts';

const NO_BODY: Framing = { kind: 'none' };
/** A body that begins with no more than this is copied behind its head: one write costs more than the copy. */
const ONE_WRITE_BYTES = 16 * 1024;

export class ResponseWriter {
  readonly #socket: Socket;
  #http10 = false;
  #begun = false;
  #unchunk = false;
  /** lines of a head that waits for the first piece of its body, Latin-1 */
  #head = '';
  /** pieces gather for one write */
  #gathers = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** The final head of the current response has been written. */
  get begun(): boolean {
    return this.#begun;
  }

  /** @param http10 the request was HTTP/1.0: no interim answers, no chunks */
  reset(http10: boolean): void {
    this.#http10 = http10;
    this.#begun = false;
  }

  /** @returns false when the client is behind */
  interim(head: ResponseHead, form: AnswerForm): boolean {
    if (this.#http10) return true;
    return this.#socket.write(responseLines(head, { framing: NO_BODY, close: false, unchunk: false, via: form.via, added: [] }), 'latin1');
  }

  /** What follows is another protocol. */
  switching({ head, form: { via, added } }: Switching): void {
    this.#begun = true;
    this.#socket.write(responseLines(head, { framing: NO_BODY, close: false, unchunk: false, upgrades: true, via, added }), 'latin1');
  }

  /**
   * @param close the connection ends after this response
   * @returns true when the connection has to end after this response
   */
  head(head: ResponseHead, framing: Framing, close: boolean, { via, added }: AnswerForm): boolean {
    this.#begun = true;
    this.#unchunk = framing.kind === 'chunked' && this.#http10;
    const closes = close || framing.kind === 'close' || this.#unchunk;
    this.#head = responseLines(head, { framing, close: closes, unchunk: this.#unchunk, via, added });
    return closes;
  }

  /** @returns false when the client is behind */
  body(bytes: Buffer, payload: readonly Buffer[]): boolean {
    if (this.#head !== '' && (this.#unchunk || bytes.length > ONE_WRITE_BYTES)) this.flush();
    if (this.#head !== '') return this.#socket.write(this.#withHead(bytes));
    this.#gather();
    if (!this.#unchunk) return this.#socket.write(bytes);
    for (const slice of payload) this.#socket.write(slice);
    return !this.#socket.writableNeedDrain;
  }

  /** Everything of one read of the origin has been written. */
  flush(): void {
    if (this.#head === '') return;
    const head = this.#head;
    this.#head = '';
    this.#socket.write(head, 'latin1');
  }

  /** TLS gives out what has come at once in pieces of 16 kB: all of one turn of the event loop leave together. */
  #gather(): void {
    if (this.#gathers) return;
    this.#gathers = true;
    this.#socket.cork();
    setImmediate(() => {
      this.#gathers = false;
      this.#socket.uncork();
    });
  }

  #withHead(bytes: Buffer): Buffer {
    const head = this.#head;
    this.#head = '';
    const both = Buffer.allocUnsafe(head.length + bytes.length);
    both.write(head, 'latin1');
    bytes.copy(both, head.length);
    return both;
  }
}
