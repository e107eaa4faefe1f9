/**
 * The origin's side of one exchange: a connection that was kept or a new one, and the request on it; on another one where it is sent again.
 */
import { FetchError } from '../http/fetch-error.ts';
import type { BodyPiece } from '../http/message.ts';
import { reasonOf } from '../util/thrown.ts';
import { isRepeatable, type ExchangeServices, type OnOrigin } from './exchange-parts.ts';
import { originKey } from './origin.ts';
import type { AnswerEvents, OriginConnection, OriginStream, OutgoingRequest } from './origin-connection.ts';

export interface OriginUser extends AnswerEvents {
  /** @returns false when there is no need of a connection any more */
  onConnected(connection: OriginConnection): boolean;
  onUnreachable(error: FetchError): void;
}

export class OriginSide implements OnOrigin {
  readonly #services: Pick<ExchangeServices, 'connect' | 'pool'>;
  readonly #outgoing: OutgoingRequest;
  readonly #user: OriginUser;
  #connection: OriginConnection | undefined;
  #stream: OriginStream | undefined;
  #sendings = 0;
  #connecting = false;
  #onSettled: (() => void) | undefined;

  constructor(services: Pick<ExchangeServices, 'connect' | 'pool'>, outgoing: OutgoingRequest, user: OriginUser) {
    this.#services = services;
    this.#outgoing = outgoing;
    this.#user = user;
  }

  get connection(): OriginConnection | undefined {
    return this.#connection;
  }

  /** undefined until the request has been sent */
  get stream(): OriginStream | undefined {
    return this.#stream;
  }

  /** How often the request was sent. */
  get sendings(): number {
    return this.#sendings;
  }

  /** Whatever connection there is; also again, as the one that it was sent on may be as good as ever. */
  take(): void {
    this.#stream = undefined;
    const { target, servername, upstream, http2, imitation } = this.#outgoing;
    const key = originKey(target, servername, upstream, http2, imitation);
    const { pool } = this.#services;
    if (isRepeatable(this.#outgoing)) this.#use(pool.take(key));
    else pool.takeFresh(key, (kept) => this.#use(kept));
  }

  /** A new connection. */
  connect(): void {
    this.#stream = undefined;
    const { target, servername, upstream, afresh, http2, imitation } = this.#outgoing;
    const { scheme, host, port } = target;
    this.#connecting = true;
    this.#services.connect({ scheme, host, port, servername, upstream, afresh, http2, imitation }).then(
      (connection) => this.#settled(() => this.#use(connection)),
      (error: unknown) =>
        this.#settled(() =>
          this.#user.onUnreachable(error instanceof FetchError ? error : new FetchError('not-connected', reasonOf(error))),
        ),
    );
  }

  /**
   * Call back once no connection is being made, at once if that is so now. What connects takes a socket, also for somebody who has left:
   * it is to be counted for as long.
   */
  whenSettled(settled: () => void): void {
    if (this.#connecting) this.#onSettled = settled;
    else settled();
  }

  /** Nobody counts what connects any more. */
  countNoMore(): void {
    this.#connecting = false;
    const settled = this.#onSettled;
    this.#onSettled = undefined;
    settled?.();
  }

  /** @param body what there is of it already */
  send(connection: OriginConnection, body: readonly BodyPiece[]): OriginStream {
    this.#sendings++;
    this.#connection = connection;
    this.#stream = connection.request(this.#outgoing, body, this.#user);
    // A connection that can carry more is there for others, too.
    if (!connection.busy) this.#services.pool.put(connection);
    return this.#stream;
  }

  /** @param whole all is said and heard */
  leave(whole: boolean): void {
    const connection = this.#connection;
    const stream = this.#stream;
    this.#connection = undefined;
    this.#stream = undefined;
    if (connection === undefined || stream === undefined) return;
    if (whole) stream.release();
    else stream.reset();
    this.#services.pool.put(connection);
  }

  #settled(then: () => void): void {
    this.#connecting = false;
    then();
    this.countNoMore();
  }

  #use(connection: OriginConnection | undefined): void {
    if (connection === undefined) this.connect();
    else if (!this.#user.onConnected(connection)) connection.unwanted();
  }
}
