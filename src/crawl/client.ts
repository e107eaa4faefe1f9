/**
 * A client of the crawl server, for programs: `import { CrawlClient } from 'warctap/crawl-client'`.
 *
 * Commands are calls that resolve with what the response has in its body; subscriptions are async iterators, which end the subscription when
 * they are left. Who reads a subscription slowly holds up the whole connection, and nobody else: use one for each stream that is large.
 */
import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { WebSocket } from 'ws';
import { reasonOf } from '../util/thrown.ts';
import {
  RequestSchema,
  ServerMessageSchema,
  SubscriptionClosed_Reason as Reason,
  type Event,
  type Job,
  type JobLogLine,
  type Request,
  type ResourceFrame,
  type Response,
  type SyncItem,
  type TaskTree,
} from './proto/starbelly_pb.ts';

export * from './proto/starbelly_pb.ts';

/** A command as `create(RequestSchema, { Command })` takes it: `{ case: 'getJob', value: { jobId } }`. */
export type CommandInit = NonNullable<Exclude<MessageInitShape<typeof RequestSchema>, Request>['Command']>;
type SubscribeCommand = Extract<CommandInit, { case: `subscribe${string}` }>;
export type Body = Response['Body'];
type Named = Exclude<Body, { case: undefined }>;
type ValueOf<Case extends Named['case']> = Extract<Named, { case: Case }>['value'];
export type EventBody = Event['Body'];

/** The server has refused a command, or ended a subscription: its words. */
export class CrawlRefusedError extends Error {
  override readonly name = 'CrawlRefusedError';
  readonly code = 'CRAWL_REFUSED';
}

/** There is no connection, or not any more. */
export class CrawlConnectionError extends Error {
  override readonly name = 'CrawlConnectionError';
  readonly code = 'CRAWL_CONNECTION';
}

export interface CrawlClientOptions {
  /** `http://127.0.0.1:8010`, or the `wss://…/ws/` of a server with TLS */
  readonly url: string | URL;
  readonly username: string;
  readonly password: string;
  /** certificates in PEM that the server's is checked with, in place of the system's */
  readonly ca?: string | Buffer | undefined;
  /** false: the server's certificate is not checked */
  readonly rejectUnauthorized?: boolean;
}

/** Events of a subscription that wait to be read, before nothing more is read from the server. */
const MAX_WAITING = 256;
const GOING_AWAY = 1001;

export class CrawlClient implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #asked = new Map<number, (response: Response | Error) => void>();
  readonly #streams = new Map<number, Stream>();
  #next = 0;
  #ended: CrawlConnectionError | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#receive(data));
    socket.on('close', (code, reason) => {
      const why = code === GOING_AWAY ? ': the server stops' : reason.length > 0 ? `: ${reason.toString()}` : '';
      this.#end(new CrawlConnectionError(`the connection to the crawl server has ended${why}`));
    });
    socket.on('error', (error) => this.#end(new CrawlConnectionError(`the connection to the crawl server broke: ${reasonOf(error)}`)));
  }

  /** @throws CrawlConnectionError */
  static async connect({ url, username, password, ca, rejectUnauthorized = true }: CrawlClientOptions): Promise<CrawlClient> {
    const target = webSocketUrl(url);
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const socket = new WebSocket(target, {
      headers: { authorization },
      maxPayload: 0,
      rejectUnauthorized,
      ...(ca === undefined ? {} : { ca }),
    });
    await new Promise<void>((resolve, reject) => {
      const failed = (why: string) => reject(new CrawlConnectionError(`no connection to ${target.href}: ${why}`));
      socket.once('open', () => resolve());
      socket.once('error', (error) => failed(reasonOf(error)));
      socket.once('unexpected-response', (request, { statusCode }) => {
        request.destroy();
        failed(statusCode === 401 ? 'the name or the password is wrong' : `the answer is ${statusCode}`);
      });
    });
    socket.removeAllListeners('error').removeAllListeners('open');
    return new CrawlClient(socket);
  }

  /** What the response has in its body, if anything. @throws CrawlRefusedError, CrawlConnectionError */
  async command(command: CommandInit): Promise<Body> {
    if (this.#ended !== undefined) throw this.#ended;
    const requestId = this.#next;
    this.#next = (this.#next + 1) & 0x7fffffff;
    const answered = new Promise<Response | Error>((resolve) => this.#asked.set(requestId, resolve));
    this.#socket.send(toBinary(RequestSchema, create(RequestSchema, { requestId, Command: command })));
    const response = await answered;
    if (response instanceof Error) throw response;
    if (!response.isSuccess) throw new CrawlRefusedError(response.errorMessage);
    return response.Body;
  }

  /** A command that has this in its response. @throws CrawlRefusedError, CrawlConnectionError */
  async get<Case extends Named['case']>(command: CommandInit, name: Case): Promise<ValueOf<Case>> {
    const body = await this.command(command);
    if (body.case !== name)
      throw new CrawlConnectionError(`the crawl server has answered with ${body.case ?? 'nothing'} instead of ${name}`);
    return body.value as ValueOf<Case>;
  }

  /**
   * Events of a subscription, until it ends or the iterator is left.
   *
   * @throws CrawlRefusedError when the server refuses or ends it with an error, CrawlConnectionError
   */
  async *subscribe(command: SubscribeCommand): AsyncGenerator<EventBody, void> {
    const { subscriptionId } = await this.get(command, 'newSubscription');
    const stream = this.#streamOf(subscriptionId);
    try {
      for (;;) {
        const body = await stream.next(() => this.#flow());
        if (body.case === 'subscriptionClosed') {
          stream.over = true;
          if (body.value.reason === Reason.ERROR) throw new CrawlRefusedError(body.value.message);
          return;
        }
        yield body;
      }
    } finally {
      this.#streams.delete(subscriptionId);
      this.#flow();
      if (!stream.over && this.#ended === undefined)
        await this.command({ case: 'unsubscribe', value: { subscriptionId } }).catch(() => undefined);
    }
  }

  /** The status of jobs: all of them, then what changes. @param minInterval in seconds */
  async *jobStatus(minInterval = 1): AsyncGenerator<Job[], void> {
    for await (const body of this.subscribe({ case: 'subscribeJobStatus', value: { minInterval } }))
      if (body.case === 'jobList') yield body.value.jobs;
  }

  /** Items of a job, from a token on, until it has ended. */
  async *jobSync(
    jobId: Uint8Array,
    { token, compressionOk = true }: { token?: Uint8Array; compressionOk?: boolean } = {},
  ): AsyncGenerator<SyncItem, void> {
    const value = { jobId, compressionOk, ...(token === undefined ? {} : { syncToken: token }) };
    for await (const body of this.subscribe({ case: 'subscribeJobSync', value })) if (body.case === 'syncItem') yield body.value;
  }

  /** Why something of a job was not fetched: lines that are kept, then each new one. */
  async *jobLog(jobId: Uint8Array): AsyncGenerator<JobLogLine, void> {
    for await (const body of this.subscribe({ case: 'subscribeJobLog', value: { jobId } }))
      if (body.case === 'jobLogLine') yield body.value;
  }

  async *resources(history = 300): AsyncGenerator<ResourceFrame, void> {
    for await (const body of this.subscribe({ case: 'subscribeResourceMonitor', value: { history } }))
      if (body.case === 'resourceFrame') yield body.value;
  }

  /** @param period in seconds */
  async *tasks(period = 3): AsyncGenerator<TaskTree, void> {
    for await (const body of this.subscribe({ case: 'subscribeTaskMonitor', value: { period } }))
      if (body.case === 'taskTree') yield body.value;
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    this.#socket.resume();
    this.#socket.close();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #receive(data: Buffer): void {
    const { MessageType: message } = fromBinary(ServerMessageSchema, data);
    if (message.case === 'response') {
      const { requestId } = message.value;
      this.#asked.get(requestId)?.(message.value);
      this.#asked.delete(requestId);
      // What is subscribed to may send before whoever has asked for it reads.
      if (message.value.Body.case === 'newSubscription') this.#streamOf(message.value.Body.value.subscriptionId);
    } else if (message.case === 'event') {
      this.#streams.get(message.value.subscriptionId)?.push(message.value.Body);
      this.#flow();
    }
  }

  #streamOf(id: number): Stream {
    const stream = this.#streams.get(id) ?? new Stream();
    this.#streams.set(id, stream);
    if (this.#ended !== undefined) stream.fail(this.#ended);
    return stream;
  }

  /** Read, or stop reading. */
  #flow(): void {
    const full = [...this.#streams.values()].some(({ waiting }) => waiting >= MAX_WAITING);
    if (full && !this.#socket.isPaused) this.#socket.pause();
    else if (!full && this.#socket.isPaused) this.#socket.resume();
  }

  #end(error: CrawlConnectionError): void {
    this.#ended ??= error;
    for (const resolve of this.#asked.values()) resolve(this.#ended);
    this.#asked.clear();
    for (const stream of this.#streams.values()) stream.fail(this.#ended);
  }
}

/** Events that wait to be read. What came before a failure is read before it. */
class Stream {
  over = false;
  readonly #events: EventBody[] = [];
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  get waiting(): number {
    return this.#events.length;
  }

  push(body: EventBody): void {
    this.#events.push(body);
    this.#wake?.();
  }

  fail(error: Error): void {
    this.#error ??= error;
    this.#wake?.();
  }

  async next(taken: () => void): Promise<EventBody> {
    for (;;) {
      const body = this.#events.shift();
      if (body !== undefined) {
        taken();
        return body;
      }
      if (this.#error !== undefined) throw this.#error;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

function webSocketUrl(url: string | URL): URL {
  const target = new URL(url);
  target.protocol = target.protocol.replace('http', 'ws');
  if (target.pathname === '/') target.pathname = '/ws/';
  return target;
}
