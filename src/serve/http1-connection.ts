/**
 * One HTTP/1 connection of a client, plain or inside of a tunnel: its requests are handed to a `Handler`, one after the other.
 *
 * Owns the socket until it hands it to a tunnel. Is the client's side of each request (`ClientSide`). What is asked for, and whether it may
 * be had, is for the handler to decide; how requests are read, for the request reader; how answers look on the wire, for the response writer.
 */
import type { Socket } from 'node:net';
import { plainAnswer, type Answer } from '../http/answer.ts';
import type { Authority } from '../http/authority.ts';
import { MessageError } from '../http/errors.ts';
import type { FetchError } from '../http/fetch-error.ts';
import type { Framing, RequestHead, ResponseHead } from '../http/message.ts';
import type { AnswerForm, ClientSide, ClientTunnel, RequestBody, Switching, Upgraded } from '../http/sides.ts';
import { writtenUrl } from '../http/target.ts';
import { keepsConnection } from '../http1/framing.ts';
import { RequestReader, type RequestEvents } from '../http1/request-reader.ts';
import { MESSAGE_ERRORS } from '../messages/answers.ts';
import { ifIdle } from '../util/after-reading.ts';
import { answerBytes } from './answer-bytes.ts';
import type { ConnectionServices } from './connection-services.ts';
import { lingeringClose, throwAway } from './lingering-close.ts';
import { ResponseWriter } from './response-writer.ts';

const NOTHING = Buffer.alloc(0);
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const TUNNEL_OPEN = 'HTTP/1.1 200 Connection established\r\n\r\n';
const REQUEST_TIMEOUT = 408;

export class Http1Connection implements ClientSide, RequestEvents {
  readonly #socket: Socket;
  readonly #services: ConnectionServices;
  readonly #tunnel: ClientTunnel | undefined;
  readonly #reader: RequestReader;
  readonly #writer: ResponseWriter;
  #request: RequestHead | undefined;
  /** the client waits for 100 (Continue) before it sends its body */
  #expecting = false;
  /** the client sends no more */
  #ended = false;
  #closeAfter = false;
  /** the next request may begin once its client has taken the answers before it */
  #nextWaits = false;
  #left: AbortController | undefined;

  constructor(socket: Socket, services: ConnectionServices, tunnel?: ClientTunnel) {
    this.#socket = socket;
    this.#services = services;
    this.#tunnel = tunnel;
    this.#reader = new RequestReader(socket, this, services);
    this.#writer = new ResponseWriter(socket);
    socket.setTimeout(services.socketTimeoutMs);
    socket.on('data', this.receive);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
    socket.on('timeout', this.#onTimeout);
  }

  /** The program stops: nothing more is read, what is being answered goes on. */
  shutDown(): void {
    this.#closeAfter = true;
    if (this.#reader.state === 'head') this.#finish();
  }

  get gone(): boolean {
    return this.#reader.state === 'over';
  }

  get address(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get port(): number | undefined {
    return this.#socket.remotePort;
  }

  readonly untilGone = (): AbortSignal => (this.#left ??= new AbortController()).signal;

  serve(body: RequestBody): void {
    this.#reader.serve(body);
  }

  askForBody(): void {
    if (this.#expecting && this.#reader.state === 'body') this.#socket.write(CONTINUE, 'latin1');
    this.#expecting = false;
  }

  resumeRequest(): void {
    this.#reader.resume();
  }

  interim(head: ResponseHead, form: AnswerForm): boolean {
    if (head.status === 100) this.#expecting = false;
    return this.#writer.interim(head, form);
  }

  head(head: ResponseHead, framing: Framing, form: AnswerForm): void {
    if (form.last || (this.#ended && !this.#reader.hasEarly)) this.#closeAfter = true;
    this.#closeAfter = this.#writer.head(head, framing, this.#closeAfter, form);
  }

  body(bytes: Buffer, payload: readonly Buffer[]): boolean {
    return this.#writer.body(bytes, payload);
  }

  flush(): void {
    this.#writer.flush();
  }

  end(accepted: Promise<void> | undefined, exact: boolean): void {
    this.#reader.unserve();
    this.#closeAfter ||= !exact;
    this.#writer.flush();
    if (this.gone) return;
    // A request whose body will not be read leaves nobody knowing where the next one begins.
    if (this.#closeAfter || this.#reader.state === 'body') return this.#finish();
    this.#proceed(accepted);
  }

  fail(error: FetchError, accepted: Promise<void> | undefined): void {
    this.#reader.unserve();
    this.#writer.flush();
    if (this.gone) return;
    if (this.#writer.begun) return this.#cut();
    // Why the proxy stops is said once, and not again for each request that it refuses.
    const message = error.code === 'shutting-down' ? 'request refused' : error.message;
    this.#services.log.info(
      { code: error.code, status: error.status, url: this.#request && writtenUrl(this.#request.target, this.#tunnel) },
      message,
    );
    this.#answer(plainAnswer(error.status, error.message), accepted);
  }

  answer(answer: Answer, last = false): void {
    this.#reader.unserve();
    if (this.gone) return;
    this.#closeAfter ||= last;
    this.#answer(answer, undefined);
  }

  refuse(thrown: unknown): void {
    if (!(thrown instanceof MessageError)) return this.#fault(thrown);
    this.#reader.unserve();
    if (this.gone) return;
    if (this.#writer.begun) return this.#cut();
    this.answer(plainAnswer(MESSAGE_ERRORS[thrown.code].status, thrown.message), true);
  }

  openTunnel(authority: Authority): void {
    const left = this.upgrade();
    if (left === undefined) return;
    this.#socket.write(TUNNEL_OPEN, 'latin1');
    this.#services.openTunnel(this.#socket, authority, left.first);
  }

  upgrade(answer?: Switching): Upgraded | undefined {
    if (this.gone) return undefined;
    const first = this.#reader.stop();
    if (this.#ended && first.length === 0) {
      this.#finish();
      return undefined;
    }
    if (answer !== undefined) this.#writer.switching(answer);
    this.#detach();
    return { socket: this.#socket, first };
  }

  onHead(head: RequestHead, framing: Framing, hasBody: boolean): void {
    this.#request = head;
    this.#writer.reset(head.minor === 0);
    this.#closeAfter ||= !keepsConnection(head);
    // HTTP/1.0 has no interim answers: there it is to be ignored (RFC 9110 §10.1.1).
    const expectsContinue = head.minor === 1 && head.fields.hasMember('expect', '100-continue');
    // Whoever sends the body all the same does not wait.
    this.#expecting = expectsContinue && !this.#reader.hasEarly;
    this.#services.handler({ head, framing, hasBody, expectsContinue, tunnel: this.#tunnel }, this);
  }

  onMalformed(error: MessageError): void {
    this.refuse(error);
  }

  onTooSlow(line: string): void {
    if (this.#writer.begun) this.#cut();
    else this.answer(plainAnswer(REQUEST_TIMEOUT, line), true);
  }

  onTurn(bytes: Buffer): void {
    this.receive(bytes);
    if (this.#ended) this.#onEnd();
  }

  /** Bytes of the client, as from its socket. */
  readonly receive = (bytes: Buffer): void => {
    if (this.#reader.state === 'body') this.#expecting = false;
    try {
      this.#reader.receive(bytes);
    } catch (error) {
      this.#fault(error);
    }
  };

  #fault(error: unknown): void {
    this.#services.log.error({ err: error }, 'a fault in warctap: the connection of a client was closed');
    this.#socket.destroy();
  }

  #answer(answer: Answer, accepted: Promise<void> | undefined): void {
    this.#closeAfter ||= this.#reader.state === 'body';
    const { answerFields } = this.#services;
    const told = answerFields === undefined ? answer : { ...answer, fields: [...(answer.fields ?? []), ...answerFields] };
    this.#socket.write(answerBytes(told, this.#request?.method ?? 'GET', this.#closeAfter));
    if (this.#closeAfter) this.#finish();
    else this.#proceed(accepted);
  }

  /** On to the next request, once the capture of this one has been accepted. */
  #proceed(accepted: Promise<void> | undefined): void {
    if (accepted === undefined) this.#next();
    else void accepted.then(() => this.#next());
  }

  #next(): void {
    if (this.gone) return;
    // Whoever asks on and on without reading would have all answers kept here.
    this.#nextWaits = this.#socket.writableNeedDrain;
    if (this.#nextWaits) return;
    this.#request = undefined;
    this.#writer.reset(false);
    if (this.#ended && !this.#reader.hasEarly) this.#finish();
    else this.#reader.next();
  }

  /** Nothing more is read; what was written still goes out. */
  #finish(): void {
    this.#reader.stop();
    lingeringClose(this.#socket);
  }

  /** Close in the middle of an answer, without a TLS close_notify, so that the client can see that something is missing. */
  #cut(): void {
    this.#reader.stop();
    throwAway(this.#socket);
    this.#socket.write(NOTHING, () => this.#socket.destroy());
  }

  readonly #onDrain = (): void => {
    if (this.#nextWaits) this.#next();
    else this.#reader.serving?.resumeResponse();
  };

  /** The client sends no more; it may still read. */
  readonly #onEnd = (): void => {
    this.#ended = true;
    // What came earlier is read first.
    if (this.#reader.hasEarly) return;
    if (this.#reader.state === 'body') {
      this.#reader.unserve()?.clientGone();
      this.refuse(new MessageError('syntax', 'request ended before its body was complete'));
    } else if (this.#reader.inHead) this.refuse(new MessageError('syntax', 'request ended before its head was complete'));
    else if (this.#reader.state !== 'answer') this.#finish();
  };

  readonly #onError = (error: Error): void => {
    this.#services.log.debug({ reason: error.message }, 'client connection broke');
  };

  readonly #onClose = (): void => {
    this.#reader.stop();
    this.#left?.abort();
    this.#reader.unserve()?.clientGone();
  };

  readonly #onTimeout = (): void => ifIdle(this.#socket, () => this.#onIdle());

  #onIdle(): void {
    if (this.#reader.inHead) return this.onTooSlow('request head not complete within the idle time-out');
    const { state, serving } = this.#reader;
    // Waiting for its turn or for the origin, or held back for its sake, is not idleness of the client.
    const waits = this.#expecting || serving === undefined || this.#socket.isPaused();
    const held = state === 'answer' || (state === 'body' && waits);
    if (!held || this.#socket.writableLength > 0) this.#socket.destroy();
  }

  #detach(): void {
    this.#socket.pause();
    this.#socket
      .removeListener('data', this.receive)
      .removeListener('drain', this.#onDrain)
      .removeListener('end', this.#onEnd)
      .removeListener('error', this.#onError)
      .removeListener('close', this.#onClose)
      .removeListener('timeout', this.#onTimeout);
  }
}
