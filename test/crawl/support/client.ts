/** A client of the API over a real WebSocket, which notes all that comes. */
import assert from 'node:assert/strict';
import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { WebSocket } from 'ws';
import {
  RequestSchema,
  ServerMessageSchema,
  type Event,
  type Request,
  type Response,
  type ServerMessage,
} from '../../../src/crawl/proto/starbelly_pb.ts';

export type CommandInit = NonNullable<Exclude<MessageInitShape<typeof RequestSchema>, Request>['Command']>;

export class ApiClient implements AsyncDisposable {
  readonly messages: ServerMessage[] = [];
  readonly socket: WebSocket;
  readonly #waiting = new Set<() => void>();
  #nextId = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      this.messages.push(fromBinary(ServerMessageSchema, data));
      this.#wake();
    });
    socket.on('close', () => this.#wake());
  }

  static async open(url: string, user = 'admin', password = 'a password'): Promise<ApiClient> {
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/`, { headers: { authorization } });
    const client = new ApiClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => resolve());
      socket.once('error', reject);
    });
    return client;
  }

  get open(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  /** @returns the identifier of the request */
  send(command: CommandInit): number {
    const requestId = this.#nextId++;
    this.socket.send(toBinary(RequestSchema, create(RequestSchema, { requestId, Command: command })));
    return requestId;
  }

  /** A command and its response. */
  async ask(command: CommandInit): Promise<Response> {
    const id = this.send(command);
    return this.until(() => this.responses.find(({ requestId }) => requestId === id));
  }

  /** What a command that succeeds has in its body. */
  async get<Case extends NonNullable<Response['Body']['case']>>(command: CommandInit, name: Case) {
    const { isSuccess, errorMessage, Body: body } = await this.ask(command);
    assert.ok(isSuccess, errorMessage);
    assert.equal(body.case, name);
    return body.value as Extract<Response['Body'], { case: Case }>['value'];
  }

  /** Without a body. */
  async done(command: CommandInit): Promise<void> {
    const { isSuccess, errorMessage, Body: body } = await this.ask(command);
    assert.ok(isSuccess, errorMessage);
    assert.equal(body.case, undefined);
  }

  /** The text of a failure. */
  async refused(command: CommandInit): Promise<string> {
    const { isSuccess, errorMessage, Body: body } = await this.ask(command);
    assert.equal(isSuccess, false);
    assert.equal(body.case, undefined);
    return errorMessage;
  }

  get responses(): Response[] {
    return this.messages.flatMap(({ MessageType: type }) => (type.case === 'response' ? [type.value] : []));
  }

  events(subscriptionId: number): Event[] {
    const all = this.messages.flatMap(({ MessageType: type }) => (type.case === 'event' ? [type.value] : []));
    return all.filter((event) => event.subscriptionId === subscriptionId);
  }

  /** So many events of a subscription. */
  eventsOf(subscriptionId: number, count: number): Promise<Event[]> {
    return this.until(() => {
      const events = this.events(subscriptionId);
      return events.length >= count ? events : undefined;
    });
  }

  /** Waits for what comes next until there is a result. @throws when the connection ends before */
  async until<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      assert.ok(this.socket.readyState <= WebSocket.OPEN, 'the connection has ended');
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  async close(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise<void>((resolve) => this.socket.once('close', () => resolve()));
    this.socket.close();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
