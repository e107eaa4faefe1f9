/**
 * What belongs in a shared store and could not be put in: kept in a database of this machine, and delivered in order once the store is back.
 *
 * A row is delivered again when it is not known whether it was: entries stand there then already, and counts are known by their number. Rows
 * are of one store, by its URL. Past a bound what comes is lost to the store, not to the WARC files, and counted.
 */
import type { Log } from '../../util/log.ts';
import type { LaterSection } from '../level/later.ts';
import type { Link, ScriptArgument } from './link.ts';
import { COUNT, PUBLISH } from './scripts.ts';

/** Entries: slot, packed key and packed entry of each, the last two in Base64. */
interface EntriesRow {
  readonly e: readonly (readonly [slot: string, key: string, entry: string])[];
}

/** Counts: the parameters of their script. */
interface CountsRow {
  readonly c: readonly (string | number)[];
}

type Row = EntriesRow | CountsRow;

/** A row, as it is known in memory. */
interface Waiting {
  /** entries or buckets */
  readonly items: number;
  readonly chars: number;
  /** it is in the database, or was given to it */
  isKept: boolean;
}

export interface OutboxOptions {
  readonly section: Pick<LaterSection, 'getMany' | 'batch' | 'iterator'>;
  readonly link: Link;
  readonly log: Log;
  /** characters of all rows */
  readonly maxChars?: number;
}

const MAX_CHARS = 1024 ** 3;
const AT_ONCE = 100;
const NUL = '\0';
const END = '\uffff';
const DIGITS = 9;
/** Seconds for which a store remembers which counts it has. */
export const SOURCE_SECONDS = 30 * 24 * 3600;

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #prefix: string;
  readonly #maxChars: number;
  /** number of the next row */
  #next = 0;
  readonly #rows = new Map<number, Waiting>();
  #items = 0;
  #chars = 0;
  #lost = 0;
  #delivering: Promise<void> | undefined;
  /** to be begun once more when it ends */
  #again = false;

  private constructor(options: OutboxOptions) {
    this.#options = options;
    this.#prefix = `${options.link.shown}${NUL}`;
    this.#maxChars = options.maxChars ?? MAX_CHARS;
  }

  /** With what an earlier run has left for this store, which is being delivered. */
  static async open(options: OutboxOptions): Promise<Outbox> {
    const outbox = new Outbox(options);
    const prefix = outbox.#prefix;
    for await (const [key, value] of options.section.iterator({ gte: prefix, lt: prefix + END })) {
      const number = parseInt(key.slice(prefix.length), 36);
      outbox.#next = number + 1;
      outbox.#note(number, { items: itemsIn(JSON.parse(value) as Row), chars: value.length, isKept: true });
    }
    options.link.whenBack(() => void outbox.deliver());
    void outbox.deliver();
    return outbox;
  }

  /** Entries and buckets that wait. */
  get waiting(): number {
    return this.#items;
  }

  /** Those that never will be in the store. */
  get lost(): number {
    return this.#lost;
  }

  /** What comes now has to wait behind others. */
  get isInUse(): boolean {
    return this.#rows.size > 0;
  }

  /** @param entries slot, packed key and packed entry of each */
  keepEntries(entries: readonly (readonly [slot: string, key: Buffer, entry: Buffer])[]): Promise<void> {
    return this.#keep({ e: entries.map(([slot, key, entry]) => [slot, key.toString('base64'), entry.toString('base64')]) });
  }

  /** @param parameters of the script that counts */
  keepCounts(parameters: readonly (string | number)[]): Promise<void> {
    return this.#keep({ c: parameters });
  }

  /** Deliver what waits, as far as the store takes it. Never rejects. */
  deliver(): Promise<void> {
    this.#again = this.#delivering !== undefined;
    this.#delivering ??= this.#deliver()
      // Away again, and called again when it is back.
      .catch(() => undefined)
      .finally(() => {
        this.#delivering = undefined;
        if (this.#again) void this.deliver();
      });
    return this.#delivering;
  }

  async #keep(row: Row): Promise<void> {
    const value = JSON.stringify(row);
    const items = itemsIn(row);
    if (this.#chars + value.length > this.#maxChars) {
      if (this.#lost === 0) {
        const line = 'more waits for the store than is kept for it: further entries and counts are lost to it, see warctap store rebuild';
        this.#options.log.error({ store: this.#options.link.shown }, line);
      }
      this.#lost += items;
      return;
    }
    const number = this.#next++;
    const waiting: Waiting = { items, chars: value.length, isKept: false };
    this.#note(number, waiting);
    await this.#options.section.batch([{ type: 'put', key: this.#keyOf(number), value }]);
    waiting.isKept = true;
    // It may have come back since this row was made.
    if (this.#options.link.problem === undefined) void this.deliver();
  }

  #note(number: number, row: Waiting): void {
    this.#rows.set(number, row);
    this.#items += row.items;
    this.#chars += row.chars;
  }

  /** @throws DatabaseError when that cannot be said */
  async #isDamaged(number: number): Promise<boolean> {
    if (this.#rows.get(number)?.isKept !== true) return false;
    const key = this.#keyOf(number);
    const { done } = await this.#options.section.iterator({ gte: key, lt: `${key}${NUL}` }).next();
    return done === true;
  }

  async #deliver(): Promise<void> {
    const { section, link, log } = this.#options;
    let delivered = 0;
    while (this.#rows.size > 0 && link.problem === undefined) {
      const numbers = [...this.#rows.keys()].slice(0, AT_ONCE);
      const values = await section.getMany(numbers.map((number) => this.#keyOf(number)));
      const missing = values.includes(undefined) ? values.indexOf(undefined) : values.length;
      const gone = numbers.slice(0, Math.max(missing, 1));
      // One that is still on its way into the database comes with the next; one that is damaged there never comes.
      if (missing === 0 && !(await this.#isDamaged(numbers[0] ?? 0))) break;
      for (const value of values.slice(0, missing)) await deliverRow(JSON.parse(value ?? '') as Row, link);
      if (missing === 0) this.#lost += this.#rows.get(numbers[0] ?? 0)?.items ?? 0;
      await section.batch(gone.map((number) => ({ type: 'del', key: this.#keyOf(number) })));
      for (const number of gone) {
        const row = this.#rows.get(number);
        this.#rows.delete(number);
        this.#items -= row?.items ?? 0;
        this.#chars -= row?.chars ?? 0;
        delivered += row?.items ?? 0;
      }
    }
    if (delivered > 0 && this.#rows.size === 0) log.info({ store: link.shown, entries: delivered }, 'what waited for the store is in it');
  }

  #keyOf(number: number): string {
    return `${this.#prefix}${number.toString(36).padStart(DIGITS, '0')}`;
  }
}

async function deliverRow(row: Row, link: Link): Promise<void> {
  if ('c' in row) await link.run(COUNT, row.c);
  else {
    const parameters: ScriptArgument[] = [1, ''];
    for (const [slot, key, entry] of row.e) parameters.push(slot, Buffer.from(key, 'base64'), Buffer.from(entry, 'base64'));
    await link.run(PUBLISH, parameters);
  }
}

function itemsIn(row: Row): number {
  return 'c' in row ? Math.ceil((row.c.length - 3) / 7) : row.e.length;
}
