/**
 * One HTTP/1 connection of a client, plain or inside of a tunnel: requests are read strictly and served in order.
 *
 * Owns the socket until it hands it to a tunnel. Is the HTTP/1 side of an exchange (`ExchangeClient`).
 *
 *   head ──► body ──► answer ──► head …        body and answer overlap
 */
import type { Socket } from 'node:net';
import { bodyReader, type BodyReader } from '../http1/body.ts';
import { MessageError } from '../http1/errors.ts';
import { keepsConnection, requestFraming, type Framing } from '../http1/framing.ts';
import { HeadReader, leadingEmptyLines, parseRequestHead, type RequestHead, type ResponseHead } from '../http1/head.ts';
import { absoluteTarget, connectTarget, tunnelTarget, type Authority, type Target, type Tunnel } from '../http1/target.ts';
import { NO_META } from '../meta/meta.ts';
import type { Log } from '../util/log.ts';
import type { Admission } from './admission.ts';
import { answerBytes, plainAnswer, type Answer } from './answer.ts';
import { FetchError } from './errors.ts';
import type { Exchange, ExchangeClient } from './exchange.ts';
import { requestBytes, responseLines } from './forward.ts';

/** Where a client's connection leads, if it came through CONNECT. */
export interface ClientTunnel extends Tunnel {
  /** name the client asked for in TLS, when it is not the host's */
  readonly servername: string | undefined;
}

export interface ClientServices {
  readonly admission: Admission;
  /** the proxy's own pages; undefined for what is not one */
  readonly ownPage: (head: RequestHead) => Answer | undefined;
  /** takes over a socket on which CONNECT was answered, with the bytes that came after it */
  readonly openTunnel: (socket: Socket, authority: Authority, first: Buffer) => void;
  readonly socketTimeoutMs: number;
  readonly warcPrefix: string;
  /** add Via to requests, too */
  readonly via: boolean;
  readonly log: Log;
}

const NO_BODY: Framing = { kind: 'none' };
const NOTHING = Buffer.alloc(0);
const TOO_LARGE = 431;
const VERSION_NOT_SUPPORTED = 505;
const REQUEST_TIMEOUT = 408;

export class ClientConnection implements ExchangeClient {
  readonly #socket: Socket;
  readonly #services: ClientServices;
  readonly #tunnel: ClientTunnel | undefined;
  readonly #headReader = new HeadReader();
  #state: 'head' | 'body' | 'answer' | 'over' = 'head';
  #request: RequestHead | undefined;
  #body: BodyReader | undefined;
  #exchange: Exchange | undefined;
  #leaveQueue: (() => void) | undefined;
  /** bytes that came before their turn */
  #early: Buffer[] = [];
  #headSent = false;
  #closeAfter = false;
  /** the client cannot read chunks (HTTP/1.0), so that it gets the payload alone */
  #unchunk = false;
  #corked = false;

  constructor(socket: Socket, services: ClientServices, tunnel?: ClientTunnel) {
    this.#socket = socket;
    this.#services = services;
    this.#tunnel = tunnel;
    socket.setTimeout(services.socketTimeoutMs);
    socket.on('data', this.#onData);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
    socket.on('timeout', this.#onTimeout);
  }

  /** The proxy stops: nothing more is read, what is being answered goes on. */
  shutDown(): void {
    this.#closeAfter = true;
    if (this.#state === 'head') this.#finish();
  }

  interim(head: ResponseHead): void {
    if (this.#request?.minor === 1) this.#socket.write(responseLines(head, { framing: NO_BODY, close: false, unchunk: false }), 'latin1');
  }

  head(head: ResponseHead, framing: Framing): void {
    this.#headSent = true;
    this.#unchunk = framing.kind === 'chunked' && this.#request?.minor === 0;
    if (framing.kind === 'close' || this.#unchunk) this.#closeAfter = true;
    // Head and first piece of the body leave in one write.
    this.#corked = true;
    this.#socket.cork();
    this.#socket.write(responseLines(head, { framing, close: this.#closeAfter, unchunk: this.#unchunk }), 'latin1');
  }

  body(bytes: Buffer, payload: readonly Buffer[]): boolean {
    if (!this.#unchunk) return this.#socket.write(bytes);
    for (const slice of payload) this.#socket.write(slice);
    return !this.#socket.writableNeedDrain;
  }

  flush(): void {
    if (!this.#corked) return;
    this.#corked = false;
    this.#socket.uncork();
  }

  end(accepted: Promise<void> | undefined, exact: boolean): void {
    this.#exchange = undefined;
    this.#closeAfter ||= !exact;
    this.flush();
    if (this.#state === 'over') return;
    // A request whose body will not be read leaves nobody knowing where the next one begins.
    if (this.#closeAfter || this.#state === 'body') return this.#finish();
    this.#proceed(accepted);
  }

  fail(error: FetchError, accepted: Promise<void> | undefined): void {
    this.#exchange = undefined;
    this.flush();
    if (this.#state === 'over') return;
    if (this.#headSent) return this.#cut();
    this.#services.log.info({ code: error.code, status: error.status, url: this.#request?.target }, error.message);
    this.#answer(plainAnswer(error.status, error.message), this.#state === 'body', accepted);
  }

  resumeRequest(): void {
    if (this.#state === 'body') this.#socket.resume();
  }

  readonly #onData = (bytes: Buffer): void => {
    this.receive(bytes);
  };

  /** Bytes of the client, as from its socket. */
  receive(bytes: Buffer): void {
    if (this.#state === 'head') {
      this.#readHead(bytes);
    } else if (this.#state === 'body') {
      this.#readBody(bytes);
    } else if (this.#state === 'answer') {
      this.#early.push(bytes);
      this.#socket.pause();
    }
  }

  #readHead(bytes: Buffer): void {
    const received = this.#headReader.pending === 0 ? bytes.subarray(leadingEmptyLines(bytes)) : bytes;
    if (received.length === 0) return;
    try {
      const found = this.#headReader.push(received);
      if (found === undefined) return;
      this.#request = parseRequestHead(found.head);
      this.#dispatch(this.#request, found.rest);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#refuse(error);
    }
  }

  #dispatch(head: RequestHead, rest: Buffer): void {
    this.#headSent = false;
    this.#closeAfter ||= !keepsConnection(head);
    if (head.method === 'CONNECT') return this.#connect(head, rest);
    const framing = requestFraming(head);
    if (this.#tunnel === undefined && head.target.startsWith('/')) return this.#ownPage(head, framing, rest);
    const target =
      this.#tunnel === undefined ? absoluteTarget(head.method, head.target) : tunnelTarget(this.#tunnel, head.method, head.target);
    this.#begin(head, target, framing, rest);
  }

  #connect(head: RequestHead, rest: Buffer): void {
    if (this.#tunnel !== undefined) throw new MessageError('syntax', 'CONNECT inside of a tunnel', head.target);
    if (!bodyReader(requestFraming(head), true).done) throw new MessageError('syntax', 'CONNECT with a body', head.target);
    const authority = connectTarget(head.target);
    this.#detach();
    this.#socket.write('HTTP/1.1 200 Connection established\r\n\r\n', 'latin1');
    this.#services.openTunnel(this.#socket, authority, rest);
  }

  #ownPage(head: RequestHead, framing: Framing, rest: Buffer): void {
    const answer = this.#services.ownPage(head);
    if (answer === undefined) {
      throw new MessageError('syntax', 'request target not understood, expected http://host[:port]/path', head.target);
    }
    this.#state = 'answer';
    if (rest.length > 0) this.#early.push(rest);
    this.#answer(answer, !bodyReader(framing, true).done, undefined);
  }

  #begin(head: RequestHead, target: Target, framing: Framing, rest: Buffer): void {
    this.#body = bodyReader(framing, true);
    this.#state = this.#body.done ? 'answer' : 'body';
    this.#leaveQueue = this.#services.admission.enter(() => {
      this.#leaveQueue = undefined;
      if (this.#services.admission.closing) return this.fail(new FetchError('shutting-down', 'proxy is shutting down'), undefined);
      this.#exchange = this.#services.admission.exchange(
        {
          method: head.method,
          target,
          servername: this.#tunnel?.servername,
          head: requestBytes(head, target, this.#tunnel === undefined, this.#services.via),
          hasBody: this.#state === 'body',
          expectsContinue: head.fields.members('expect').includes('100-continue'),
          persistent: head.minor === 1,
          referer: head.fields.get('referer'),
          meta: NO_META,
          warcPrefix: this.#services.warcPrefix,
        },
        this,
      );
      if (this.#early.length > 0 && this.#state === 'body') this.#takeEarly();
    });
    if (rest.length > 0) this.receive(rest);
  }

  #readBody(bytes: Buffer): void {
    const body = this.#body;
    const exchange = this.#exchange;
    if (body === undefined || exchange === undefined) {
      this.#early.push(bytes);
      this.#socket.pause();
      return;
    }
    let end: number;
    try {
      end = body.read(bytes, 0, []);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      exchange.clientGone();
      this.#exchange = undefined;
      return this.#refuse(error);
    }
    const ready = exchange.write(end === bytes.length ? bytes : bytes.subarray(0, end));
    if (body.done) {
      this.#state = 'answer';
      if (end < bytes.length) this.#early.push(bytes.subarray(end));
      exchange.endRequest();
    } else if (!ready) {
      this.#socket.pause();
    }
  }

  #refuse(error: MessageError): void {
    if (this.#headSent) return this.#cut();
    const status = error.code === 'too-large' ? TOO_LARGE : error.code === 'version' ? VERSION_NOT_SUPPORTED : 400;
    this.#answer(plainAnswer(status, error.message), true, undefined);
  }

  #answer(answer: Answer, close: boolean, accepted: Promise<void> | undefined): void {
    this.#closeAfter ||= close;
    this.#socket.write(answerBytes(answer, this.#request?.method ?? 'GET', this.#closeAfter));
    if (this.#closeAfter) this.#finish();
    else this.#proceed(accepted);
  }

  /** On to the next request, once the capture of this one has been accepted. */
  #proceed(accepted: Promise<void> | undefined): void {
    if (accepted === undefined) this.#next();
    else void accepted.then(() => this.#next());
  }

  #next(): void {
    if (this.#state === 'over') return;
    this.#state = 'head';
    this.#request = undefined;
    this.#body = undefined;
    if (this.#early.length > 0) this.#takeEarly();
    else this.#socket.resume();
  }

  /** Serve what came before its turn; not from within the answer to what came before it. */
  #takeEarly(): void {
    process.nextTick(() => {
      const bytes = Buffer.concat(this.#early);
      this.#early = [];
      if (this.#state === 'over') return;
      this.#socket.resume();
      this.receive(bytes);
    });
  }

  /** Nothing more is read; what was written still goes out. */
  #finish(): void {
    this.#state = 'over';
    this.#socket.end();
    // What a client still sends is thrown away: closing on unread bytes would reset the connection before it has read the answer.
    this.#socket.resume();
  }

  /** Close in the middle of an answer, without a TLS close_notify, so that the client can see that something is missing. */
  #cut(): void {
    this.#state = 'over';
    this.#socket.resume();
    this.#socket.write(NOTHING, () => this.#socket.destroy());
  }

  readonly #onDrain = (): void => {
    this.#exchange?.resumeResponse();
  };

  /** The client sends no more; it may still read. */
  readonly #onEnd = (): void => {
    if (this.#state === 'body') this.#socket.destroy();
    else if (this.#state === 'answer') this.#closeAfter = true;
    else this.#finish();
  };

  readonly #onError = (error: Error): void => {
    this.#services.log.debug({ reason: error.message }, 'client connection broke');
  };

  readonly #onClose = (): void => {
    this.#state = 'over';
    this.#leaveQueue?.();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.clientGone();
  };

  readonly #onTimeout = (): void => {
    if (this.#state === 'head' && this.#headReader.pending > 0) {
      this.#answer(plainAnswer(REQUEST_TIMEOUT, 'request head not complete within the idle time-out'), true, undefined);
      return;
    }
    // Waiting for the origin, or held back for its sake, is not idleness of the client.
    const held = this.#state === 'answer' || (this.#state === 'body' && this.#socket.isPaused());
    if (!held || this.#socket.writableLength > 0) this.#socket.destroy();
  };

  #detach(): void {
    this.#state = 'over';
    this.#socket.pause();
    this.#socket
      .removeListener('data', this.#onData)
      .removeListener('drain', this.#onDrain)
      .removeListener('end', this.#onEnd)
      .removeListener('error', this.#onError)
      .removeListener('close', this.#onClose)
      .removeListener('timeout', this.#onTimeout);
  }
}
