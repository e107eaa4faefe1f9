/**
 * One ceiling for what the heads of all connections take: unfinished ones of clients and origins, requests that are being answered, and what
 * clients send before its turn.
 *
 * Past it the largest unfinished head is given up, so that one that is small finds room as long as there is a larger one.
 */
import { MessageError } from '../http/errors.ts';
import { MemoryBudget } from '../util/memory-budget.ts';

/** What a field costs beside its bytes. */
export const FIELD_BYTES = 200;

/** Whose head it is. */
export interface HeadOwner {
  /** the head that has begun is given up, because there is no room for it */
  onGivenUp(error: MessageError): void;
}

/** Who keeps a head that is not complete. */
export interface HeadKeeper {
  readonly keptBytes: number;
  /** Let go of it, and give its bytes back. */
  giveUp(error: MessageError): void;
}

export class HeadMemory {
  readonly #maxBytes: number;
  readonly #budget: MemoryBudget;
  readonly #unfinished = new Set<HeadKeeper>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#budget = new MemoryBudget(maxBytes);
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  get used(): number {
    return this.#budget.used;
  }

  /** More of a head that is not complete. @throws MessageError when there is no room and none is larger; nothing is taken then */
  keep(keeper: HeadKeeper, bytes: number): void {
    this.#take(bytes, keeper.keptBytes + bytes, keeper);
    this.#unfinished.add(keeper);
  }

  /** It is complete, or given up. */
  letGo(keeper: HeadKeeper): void {
    if (this.#unfinished.delete(keeper)) this.give(keeper.keptBytes);
  }

  /** Something that is whole. @throws MessageError when there is no room and no unfinished head is larger; nothing is taken then */
  take(bytes: number): void {
    this.#take(bytes, bytes, undefined);
  }

  give(bytes: number): void {
    this.#budget.give(bytes);
  }

  #take(bytes: number, size: number, keeper: HeadKeeper | undefined): void {
    while (!this.#budget.take(bytes)) {
      const largest = this.#largest();
      const error = new MessageError(
        'too-large',
        `heads of all connections together larger than ${this.#maxBytes} bytes (--max-head-memory)`,
      );
      if (largest === undefined || largest === keeper || largest.keptBytes <= size) throw error;
      largest.giveUp(error);
    }
  }

  #largest(): HeadKeeper | undefined {
    let largest: HeadKeeper | undefined;
    for (const keeper of this.#unfinished) if (largest === undefined || keeper.keptBytes > largest.keptBytes) largest = keeper;
    return largest;
  }
}

/** For whoever needs no ceiling. */
export const NO_CEILING = new HeadMemory(Infinity);
