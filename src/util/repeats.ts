/**
 * Log lines that somebody can cause by the thousand: the first of a kind is told at once, the rest is counted and told once a minute.
 *
 * Holds a bounded number of kinds; what comes beyond them is counted as one. Owns a timer while there is something to tell.
 */

/** @param more 0 for the first; else how many have come since the last line. @param ofOthers they were kinds that there was no room for */
export type Say = (more: number, ofOthers: boolean) => void;

interface Kind {
  say: Say;
  more: number;
}

const WINDOW_MS = 60_000;
const MAX_KINDS = 100;

export class Repeats {
  readonly #kinds = new Map<string, Kind>();
  #others: Kind | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param kind lines of one kind are gathered; the one said is the latest */
  add(kind: string, say: Say): void {
    const known = this.#kinds.get(kind) ?? (this.#kinds.size < MAX_KINDS ? undefined : (this.#others ??= { say, more: 0 }));
    if (known !== undefined) {
      known.say = say;
      known.more++;
      return;
    }
    this.#kinds.set(kind, { say, more: 0 });
    this.#timer ??= setTimeout(() => this.#tell(), WINDOW_MS).unref();
    say(0, false);
  }

  /** Tell what has been counted. */
  close(): void {
    clearTimeout(this.#timer);
    this.#tell();
    clearTimeout(this.#timer);
    this.#kinds.clear();
  }

  #tell(): void {
    for (const [name, kind] of this.#kinds) {
      const { more, say } = kind;
      kind.more = 0;
      if (more > 0) say(more, false);
      else this.#kinds.delete(name);
    }
    this.#others?.say(this.#others.more, true);
    this.#others = undefined;
    this.#timer = this.#kinds.size === 0 ? undefined : setTimeout(() => this.#tell(), WINDOW_MS).unref();
  }
}
