/**
 * A set of what comes and goes all the time, such as the requests that run, in the order in which it came.
 *
 * A `Set` or a `Map` makes a new table for every few that come and go, and the one before points to it: once one of them has grown old, the
 * young generation of the heap takes all after it, and whatever was in them, for alive, so that what has come and gone is copied twice and kept
 * until the whole heap is collected. Here nothing points to what was taken out, nor from there to what is still in.
 */

/** Where an item stands. */
export interface Link<T> {
  item: T | undefined;
  before: Link<T> | undefined;
  after: Link<T> | undefined;
}

export class Linked<T> implements Iterable<T> {
  #first: Link<T> | undefined;
  #last: Link<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The one that came first. */
  get first(): T | undefined {
    return this.#first?.item;
  }

  /** @returns where it stands, to be given to `remove` */
  add(item: T): Link<T> {
    const link: Link<T> = { item, before: this.#last, after: undefined };
    if (this.#last === undefined) this.#first = link;
    else this.#last.after = link;
    this.#last = link;
    this.#size++;
    return link;
  }

  /** Once more does nothing. */
  remove(link: Link<T>): void {
    if (link.item === undefined) return;
    const { before, after } = link;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    link.item = link.before = link.after = undefined;
    this.#size--;
  }

  /** Those that are in when it begins, the first first. */
  [Symbol.iterator](): Iterator<T> {
    const items: T[] = [];
    for (let link = this.#first; link !== undefined; link = link.after) if (link.item !== undefined) items.push(link.item);
    return items[Symbol.iterator]();
  }
}
