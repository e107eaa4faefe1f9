/**
 * The subscriptions of one connection: numbered from 0, each with a feed that leads to the client for as long as it is open.
 */
import { create } from '@bufbuild/protobuf';
import { Failure } from '../failure.ts';
import {
  ResponseNewSubscriptionSchema,
  SubscriptionClosed_Reason as Reason,
  SubscriptionClosedSchema,
  type ServerMessage,
} from '../proto/starbelly_pb.ts';
import type { Reply } from './command.ts';
import { event, type EventBody } from './envelope.ts';

/** The way out of a connection. */
export interface Outlet {
  send(message: ServerMessage): void;
  /** resolves when the client has taken so much that more may be sent; undefined when it has */
  room(): Promise<void> | undefined;
}

/** What a subscription may send. Once it is closed nothing is sent any more. */
export interface Feed {
  readonly open: boolean;
  send(body: EventBody): void;
  room(): Promise<void> | undefined;
  /** It ends by itself, and the client is told: whole, or with what has gone wrong. */
  end(fault?: string): void;
}

export interface Subscription {
  /** as the tree of tasks shows it */
  readonly name: string;
  /** Begin to send. */
  start(feed: Feed): void;
  /** Nobody listens any more. */
  stop(): void;
}

/** Of one connection. */
const MAX_OPEN = 1000;

export class Subscriptions {
  readonly #outlet: Outlet;
  readonly #open = new Map<number, Subscription>();
  #next = 0;

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  get names(): string[] {
    return [...this.#open.values()].map(({ name }) => name);
  }

  /** The response is sent first. @throws Failure */
  add(subscription: Subscription): Reply {
    if (this.#open.size >= MAX_OPEN) throw new Failure(`There are ${MAX_OPEN} subscriptions open: unsubscribe from one first.`);
    const id = this.#next++;
    this.#open.set(id, subscription);
    return {
      body: { case: 'newSubscription', value: create(ResponseNewSubscriptionSchema, { subscriptionId: id }) },
      after: () => {
        if (this.#open.has(id)) subscription.start(this.#feedOf(id));
      },
    };
  }

  /** @throws Failure */
  remove(id: number): void {
    const subscription = this.#open.get(id);
    if (subscription === undefined) throw new Failure(`Invalid subscription id=${id}`);
    this.#open.delete(id);
    subscription.stop();
  }

  close(): void {
    for (const id of [...this.#open.keys()]) this.remove(id);
  }

  #feedOf(id: number): Feed {
    const isOpen = () => this.#open.has(id);
    const send = (body: EventBody) => {
      if (isOpen()) this.#outlet.send(event(id, body));
    };
    return {
      get open() {
        return isOpen();
      },
      send,
      room: () => this.#outlet.room(),
      end: (fault) => {
        const closed = fault === undefined ? { reason: Reason.COMPLETE } : { reason: Reason.ERROR, message: fault };
        send({ case: 'subscriptionClosed', value: create(SubscriptionClosedSchema, closed) });
        if (isOpen()) this.remove(id);
      },
    };
  }
}
