/**
 * One HTTP/1 connection of a client, plain or inside of a tunnel: requests are read strictly and served in order.
 *
 * Owns the socket until it hands it to a tunnel. Is the HTTP/1 side of an exchange (`ExchangeClient`); who is let in decides the authenticator,
 * what is asked for the router, whether it may be had the gate, how an answer looks on the wire the response writer.
 *
 *   head ──► body ──► answer ──► head …        body and answer overlap
 */
import type { Socket } from 'node:net';
import type { Framing, RequestHead, ResponseHead } from '../http/message.ts';
import type { Authenticator, Denial } from '../auth/authenticator.ts';
import { bodyReader, type BodyReader } from '../http1/body.ts';
import { MessageError } from '../http/errors.ts';
import { keepsConnection, requestFraming } from '../http1/framing.ts';
import { HeadReader, leadingEmptyLines, parseRequestHead } from '../http1/head.ts';
import { fieldLine } from '../http1/serialize.ts';
import type { Authority } from '../http/target.ts';
import { NO_META, type Meta } from '../meta/meta.ts';
import type { Log } from '../util/log.ts';
import { MinimumRate, type MinimumRateOptions } from '../util/minimum-rate.ts';
import type { Admission } from '../fetch/admission.ts';
import { plainAnswer, type Answer } from '../http/answer.ts';
import { answerBytes } from './answer-bytes.ts';
import { CustomRecord, type RecordClient, type RecordServices } from '../proxy/custom-record.ts';
import type { FetchError } from '../http/fetch-error.ts';
import type { ExchangeClient, RequestBody } from '../http/sides.ts';
import type { Gate, Verdict } from '../proxy/gate.ts';
import { ResponseWriter } from './response-writer.ts';
import { route, type ClientTunnel, type OwnPages, type Route } from '../proxy/router.ts';
import { skippedBody, worthSkipping } from './skipped-body.ts';

export interface ClientServices {
  /** asked about every request, but those inside of a tunnel; undefined: everybody is let in */
  readonly authenticator?: Authenticator | undefined;
  readonly gate: Gate;
  readonly admission: Admission;
  readonly records: RecordServices;
  readonly ownPage: OwnPages;
  /** takes over a socket on which CONNECT was answered, with the bytes that came after it */
  readonly openTunnel: (socket: Socket, authority: Authority, first: Buffer) => void;
  readonly socketTimeoutMs: number;
  /** from the first byte of a head to its last */
  readonly headTimeoutMs: number;
  /** of the body of a request */
  readonly minRate: MinimumRateOptions;
  /** of captures whose client names none */
  readonly warcPrefix: string;
  /** add Via to requests, too */
  readonly via: boolean;
  /** a date as records have it */
  readonly warcDate: (date: Date) => string;
  readonly log: Log;
}

const NOTHING = Buffer.alloc(0);
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const TOO_LARGE = 431;
const VERSION_NOT_SUPPORTED = 505;
const REQUEST_TIMEOUT = 408;

export class ClientConnection implements ExchangeClient, RecordClient {
  readonly #socket: Socket;
  readonly #services: ClientServices;
  readonly #tunnel: ClientTunnel | undefined;
  readonly #writer: ResponseWriter;
  readonly #headReader = new HeadReader();
  #state: 'head' | 'body' | 'answer' | 'over' = 'head';
  #request: RequestHead | undefined;
  #meta: Meta = NO_META;
  #body: BodyReader | undefined;
  /** when the head came that is not complete yet */
  #headSinceMs: number | undefined;
  #rate: MinimumRate | undefined;
  /** takes the body of the current request; undefined until it has been let in */
  #serving: RequestBody | undefined;
  /** the client waits for 100 (Continue) before it sends its body */
  #expecting = false;
  #leaveQueue: (() => void) | undefined;
  /** bytes that came before their turn */
  #early: Buffer[] = [];
  /** the client sends no more */
  #ended = false;
  #closeAfter = false;
  #gone: AbortController | undefined;

  constructor(socket: Socket, services: ClientServices, tunnel?: ClientTunnel) {
    this.#socket = socket;
    this.#services = services;
    this.#tunnel = tunnel;
    this.#writer = new ResponseWriter(socket);
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
    if (head.status === 100) this.#expecting = false;
    this.#writer.interim(head);
  }

  head(head: ResponseHead, framing: Framing, startedAt: Date): void {
    const timestamp = this.#meta.acceptsCaptureMetadata ? this.#services.warcDate(startedAt) : undefined;
    const added = timestamp === undefined ? '' : fieldLine('Warcprox-Meta', JSON.stringify({ 'capture-metadata': { timestamp } }));
    if (this.#ended && this.#early.length === 0) this.#closeAfter = true;
    this.#closeAfter = this.#writer.head(head, framing, this.#closeAfter, added);
  }

  body(bytes: Buffer, payload: readonly Buffer[]): boolean {
    return this.#writer.body(bytes, payload);
  }

  flush(): void {
    this.#writer.flush();
  }

  end(accepted: Promise<void> | undefined, exact: boolean): void {
    this.#serving = undefined;
    this.#closeAfter ||= !exact;
    this.#writer.flush();
    if (this.#state === 'over') return;
    // A request whose body will not be read leaves nobody knowing where the next one begins.
    if (this.#closeAfter || this.#state === 'body') return this.#finish();
    this.#proceed(accepted);
  }

  fail(error: FetchError, accepted: Promise<void> | undefined): void {
    this.#serving = undefined;
    this.#writer.flush();
    if (this.#state === 'over') return;
    if (this.#writer.begun) return this.#cut();
    // Why the proxy stops is said once, and not again for each request that it refuses.
    const message = error.code === 'shutting-down' ? 'request refused' : error.message;
    this.#services.log.info({ code: error.code, status: error.status, url: this.#request?.target }, message);
    this.#answer(plainAnswer(error.status, error.message), accepted);
  }

  answer(answer: Answer): void {
    this.#serving = undefined;
    if (this.#state !== 'over') this.#answer(answer, undefined);
  }

  resumeRequest(): void {
    if (this.#state === 'body') this.#socket.resume();
  }

  readonly #onData = (bytes: Buffer): void => {
    try {
      this.receive(bytes);
    } catch (error) {
      this.#services.log.error({ err: error }, 'a fault in warctap: the connection of a client was closed');
      this.#socket.destroy();
    }
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
    const empty = this.#headReader.pending === 0 ? leadingEmptyLines(bytes) : 0;
    const received = empty === 0 ? bytes : bytes.subarray(empty);
    try {
      const found = received.length === 0 ? undefined : this.#headReader.push(received);
      if (found === undefined) return this.#awaitHead();
      this.#headSinceMs = undefined;
      this.#request = parseRequestHead(found.head);
      this.#dispatch(this.#request, found.rest);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#refuse(error);
    }
  }

  /** Looked at when a byte comes: that none comes is for the idle time-out to see. */
  #awaitHead(): void {
    const nowMs = performance.now();
    this.#headSinceMs ??= nowMs;
    if (nowMs - this.#headSinceMs > this.#services.headTimeoutMs) this.#tooLate('request head not complete within the time limit');
  }

  #dispatch(head: RequestHead, rest: Buffer): void {
    this.#writer.reset(head.minor === 0);
    this.#closeAfter ||= !keepsConnection(head);
    const framing = requestFraming(head);
    this.#meta = NO_META;
    this.#body = bodyReader(framing, true);
    this.#state = this.#body.done ? 'answer' : 'body';
    this.#expecting = head.fields.members('expect').includes('100-continue');
    // Kept for its turn, which begins when this request has been let in or answered.
    if (rest.length > 0) this.receive(rest);
    const denial = this.#tunnel === undefined ? this.#services.authenticator?.check(head) : undefined;
    if (denial instanceof Promise) void denial.then((late) => this.#admit(head, framing, late));
    else this.#admit(head, framing, denial);
  }

  /** Past the authenticator, or not. */
  #admit(head: RequestHead, framing: Framing, denial: Denial | undefined): void {
    if (this.#state === 'over') return;
    if (denial !== undefined) return this.#deny(framing, denial);
    let wanted: Route;
    try {
      wanted = route(head, framing, this.#tunnel, this.#services.ownPage, this.#services.via);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      return this.#refuse(error);
    }
    if (wanted.kind === 'tunnel') {
      const first = Buffer.concat(this.#early);
      if (this.#ended && first.length === 0) return this.#finish();
      this.#detach();
      this.#socket.write('HTTP/1.1 200 Connection established\r\n\r\n', 'latin1');
      this.#services.openTunnel(this.#socket, wanted.authority, first);
    } else if (wanted.kind === 'page') {
      this.#answer(wanted.answer, undefined);
    } else {
      const verdict = this.#services.gate.judge(head.fields, wanted.url, this.#untilGone);
      if (verdict instanceof Promise) void verdict.then((settled) => this.#pass(head, wanted, settled));
      else this.#pass(head, wanted, verdict);
    }
  }

  /** The connection stays, where it can, for the client to try again with credentials. */
  #deny(framing: Framing, { status, line, fields }: Denial): void {
    this.#services.log.info({ status, client: this.#socket.remoteAddress }, 'client not let in');
    const answer = { ...plainAnswer(status, line), fields };
    if (this.#state === 'body' && (this.#expecting || !worthSkipping(framing))) this.#answer(answer, undefined);
    else this.#serve(skippedBody(() => this.answer(answer)));
  }

  /** Past the gate, or not. */
  #pass(head: RequestHead, wanted: Exclude<Route, { kind: 'tunnel' | 'page' }>, { meta, refusal }: Verdict): void {
    if (this.#state === 'over') return;
    this.#meta = meta;
    if (refusal !== undefined) {
      this.#closeAfter = true;
      return this.#answer(refusal, undefined);
    }
    const { closed } = this.#services.admission;
    if (closed !== undefined) return this.fail(closed, undefined);
    if (wanted.kind === 'record') {
      if (this.#expecting && this.#state === 'body') this.#socket.write(CONTINUE, 'latin1');
      this.#expecting = false;
      const warcPrefix = this.#meta.warcPrefix ?? this.#services.warcPrefix;
      return this.#serve(new CustomRecord(this.#services.records, wanted.draft, this.#meta, warcPrefix, this));
    }
    this.#leaveQueue = this.#services.admission.enter(() => {
      this.#leaveQueue = undefined;
      const now = this.#services.admission.closed;
      if (now === undefined) this.#fetch(head, wanted);
      else this.fail(now, undefined);
    });
  }

  #fetch(head: RequestHead, { target, bytes }: Extract<Route, { kind: 'fetch' }>): void {
    const exchange = this.#services.admission.exchange(
      {
        method: head.method,
        target,
        servername: this.#tunnel?.servername,
        head: bytes,
        hasBody: this.#state === 'body',
        expectsContinue: this.#expecting,
        persistent: head.minor === 1,
        referer: head.fields.get('referer'),
        meta: this.#meta,
        warcPrefix: this.#meta.warcPrefix ?? this.#services.warcPrefix,
      },
      this,
    );
    this.#serve(exchange);
  }

  #serve(serving: RequestBody): void {
    this.#serving = serving;
    if (this.#state === 'answer') serving.endRequest();
    else if (this.#early.length > 0) this.#takeEarly();
    else this.#socket.resume();
  }

  #readBody(bytes: Buffer): void {
    this.#expecting = false;
    const body = this.#body;
    const serving = this.#serving;
    if (body === undefined || serving === undefined) {
      this.#early.push(bytes);
      this.#socket.pause();
      return;
    }
    const payload: Buffer[] = [];
    let end: number;
    try {
      end = body.read(bytes, 0, payload);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      return this.#breakOff(error);
    }
    const ready = serving.write(end === bytes.length ? bytes : bytes.subarray(0, end), payload);
    if (body.done) {
      this.#state = 'answer';
      if (end < bytes.length) this.#early.push(bytes.subarray(end));
      serving.endRequest();
    } else if (!ready) {
      this.#rate?.restart();
      this.#socket.pause();
    } else {
      this.#rate ??= new MinimumRate(this.#services.minRate);
      if (this.#rate.tooSlow(bytes.length)) this.#bodyTooSlow(serving);
    }
  }

  #bodyTooSlow(serving: RequestBody): void {
    this.#serving = undefined;
    serving.clientGone();
    this.#tooLate('request body comes too slowly');
  }

  #tooLate(line: string): void {
    if (this.#writer.begun) return this.#cut();
    this.#closeAfter = true;
    this.#answer(plainAnswer(REQUEST_TIMEOUT, line), undefined);
  }

  /** The body of the request is not what it should be. */
  #breakOff(error: MessageError): void {
    const serving = this.#serving;
    this.#serving = undefined;
    serving?.clientGone();
    this.#refuse(error);
  }

  #refuse(error: MessageError): void {
    if (this.#writer.begun) return this.#cut();
    const status = error.code === 'too-large' ? TOO_LARGE : error.code === 'version' ? VERSION_NOT_SUPPORTED : 400;
    this.#closeAfter = true;
    this.#answer(plainAnswer(status, error.message), undefined);
  }

  #answer(answer: Answer, accepted: Promise<void> | undefined): void {
    this.#closeAfter ||= this.#state === 'body';
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
    this.#rate = undefined;
    this.#writer.reset(false);
    if (this.#early.length > 0) this.#takeEarly();
    else if (this.#ended) this.#finish();
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
      if (this.#ended) this.#onEnd();
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

  /** A signal that is aborted when the connection closes. */
  readonly #untilGone = (): AbortSignal => (this.#gone ??= new AbortController()).signal;

  readonly #onDrain = (): void => {
    this.#serving?.resumeResponse();
  };

  /** The client sends no more; it may still read. */
  readonly #onEnd = (): void => {
    this.#ended = true;
    // What came earlier is read first.
    if (this.#early.length > 0) return;
    if (this.#state === 'body') this.#breakOff(new MessageError('syntax', 'request ended before its body was complete'));
    else if (this.#state === 'head' && this.#headReader.pending > 0)
      this.#refuse(new MessageError('syntax', 'request ended before its head was complete'));
    else if (this.#state !== 'answer') this.#finish();
  };

  readonly #onError = (error: Error): void => {
    this.#services.log.debug({ reason: error.message }, 'client connection broke');
  };

  readonly #onClose = (): void => {
    this.#state = 'over';
    this.#gone?.abort();
    this.#leaveQueue?.();
    const serving = this.#serving;
    this.#serving = undefined;
    serving?.clientGone();
  };

  readonly #onTimeout = (): void => {
    if (this.#state === 'head' && this.#headReader.pending > 0) return this.#tooLate('request head not complete within the idle time-out');
    // Waiting for its turn or for the origin, or held back for its sake, is not idleness of the client.
    const waits = this.#expecting || this.#serving === undefined || this.#socket.isPaused();
    const held = this.#state === 'answer' || (this.#state === 'body' && waits);
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
