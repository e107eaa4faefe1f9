/**
 * Reads the answers to one request out of the bytes of an origin: interim answers, the final head, the body.
 *
 * No sockets: bytes in, calls out. Source: RFC 9110 §15.2 (interim answers), RFC 9112 §6.3.
 */
import type { Framing, ResponseHead } from '../http/message.ts';
import { bodyReader, type BodyReader } from './body.ts';
import { MessageError } from '../http/errors.ts';
import type { Fields } from '../http/fields.ts';
import { beginsWebSocket } from '../http/websocket.ts';
import { parseFields } from './fields.ts';
import { responseFraming } from './framing.ts';
import { NO_CEILING, type HeadMemory, type HeadOwner } from './head-memory.ts';
import { HeadReader, parseResponseHead } from './head.ts';

export interface ResponseEvents extends HeadOwner {
  onInterim(head: ResponseHead): void;
  /** @param bytes the head as it came */
  onHead(head: ResponseHead, framing: Framing, bytes: Buffer): void;
  /** @param payload the slices of the piece that are not transfer-coding */
  onBody(piece: Buffer, payload: readonly Buffer[]): void;
  /** The WebSocket that was asked for begins. @param rest its first bytes. Nothing more is read */
  onSwitched?(head: ResponseHead, bytes: Buffer, rest: Buffer): void;
}

export class ResponseReader {
  readonly #method: string;
  readonly #events: ResponseEvents;
  readonly #headReader: HeadReader;
  readonly #webSocket: boolean;
  #switched = false;
  #interim = false;
  #body: BodyReader | undefined;
  #excess = false;

  /** @param method of the request, which decides whether there is a body. @param webSocket the request has asked for one */
  constructor(method: string, events: ResponseEvents, memory: HeadMemory = NO_CEILING, webSocket = false) {
    this.#method = method;
    this.#webSocket = webSocket;
    this.#events = events;
    this.#headReader = new HeadReader(memory, events, true);
  }

  /** Some part of an answer has come. */
  get begun(): boolean {
    return this.#body !== undefined || this.#interim || this.#headReader.pending > 0;
  }

  /** The final answer is whole. */
  get done(): boolean {
    return this.#body?.done === true;
  }

  /** Bytes came after the answer, so that nobody can know what the connection says next. */
  get excess(): boolean {
    return this.#excess;
  }

  /** False when another reader could see another end of the body. */
  get exact(): boolean {
    return this.#body?.exact !== false;
  }

  /** Fields behind a body that is done, which are a part of its bytes, too. */
  get trailers(): Fields | undefined {
    const lines = this.#body?.done === true ? (this.#body.trailers ?? '') : '';
    return lines === '' ? undefined : parseFields(lines, 0);
  }

  /** @throws MessageError when the bytes are no answer; whatever came before has been told of */
  read(bytes: Buffer): void {
    let rest = bytes;
    if (this.#switched) return;
    while (this.#body === undefined) {
      rest = this.#headReader.withoutEmptyLines(rest);
      if (rest.length === 0) return;
      const found = this.#headReader.push(rest);
      if (found === undefined) return;
      rest = found.rest;
      const head = parseResponseHead(found.head);
      if (head.status === 101) return this.#switch(head, found.head, rest);
      if (head.status < 200) {
        this.#interim = true;
        this.#events.onInterim(head);
      } else {
        const framing = responseFraming(head, this.#method);
        this.#body = bodyReader(framing, false, this.#headReader.left);
        this.#events.onHead(head, framing, found.head);
      }
    }
    this.#readBody(this.#body, rest);
  }

  /** Nothing more is read of a head that has begun. */
  release(): void {
    this.#headReader.release();
  }

  /** @throws MessageError for another protocol than the one that was asked for, if one was */
  #switch(head: ResponseHead, bytes: Buffer, rest: Buffer): void {
    if (!this.#webSocket) throw new MessageError('syntax', '101 Switching Protocols without being asked');
    if (!beginsWebSocket(head)) throw new MessageError('syntax', '101 Switching Protocols without "Upgrade: websocket"');
    this.#switched = true;
    this.#events.onSwitched?.(head, bytes, rest);
  }

  #readBody(body: BodyReader, bytes: Buffer): void {
    const payload: Buffer[] = [];
    let malformed: unknown;
    let end = bytes.length;
    if (!body.done) {
      try {
        end = body.read(bytes, 0, payload);
      } catch (error) {
        malformed = error;
      }
      if (end > 0) this.#events.onBody(end === bytes.length ? bytes : bytes.subarray(0, end), payload);
    } else {
      end = 0;
    }
    if (end < bytes.length) this.#excess = true;
    if (malformed !== undefined) throw malformed as MessageError;
  }
}
