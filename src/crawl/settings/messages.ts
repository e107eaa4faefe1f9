/**
 * Messages of one kind in the database, each under a key, and all of them in memory: they are few, and read at every turn.
 *
 * What a method resolves with is written. Unknown fields of a message are kept.
 */
import { fromBinary, toBinary, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import type { ClassicLevel } from 'classic-level';
import { Failure } from '../failure.ts';

const binary = (level: ClassicLevel, name: string) => level.sublevel<string, Uint8Array>(name, { valueEncoding: 'view' });

/** So many of one kind; nobody has as many by hand. */
const MAX_MESSAGES = 10_000;

export class Messages<Desc extends DescMessage> {
  readonly #schema: Desc;
  readonly #section: ReturnType<typeof binary>;
  readonly #known: Map<string, MessageShape<Desc>>;

  private constructor(schema: Desc, section: ReturnType<typeof binary>, known: Map<string, MessageShape<Desc>>) {
    this.#schema = schema;
    this.#section = section;
    this.#known = known;
  }

  /** @param name of the part of the database: lower-case letters and digits */
  static async open<Desc extends DescMessage>(level: ClassicLevel, name: string, schema: Desc): Promise<Messages<Desc>> {
    const section = binary(level, name);
    const known = new Map<string, MessageShape<Desc>>();
    for await (const [key, bytes] of section.iterator()) known.set(key, fromBinary(schema, bytes));
    return new Messages(schema, section, known);
  }

  get size(): number {
    return this.#known.size;
  }

  get(key: string): MessageShape<Desc> | undefined {
    return this.#known.get(key);
  }

  all(): MessageShape<Desc>[] {
    return [...this.#known.values()];
  }

  /** @throws Failure when there is no room for one more */
  async put(key: string, message: MessageShape<Desc>): Promise<void> {
    if (!this.#known.has(key) && this.#known.size >= MAX_MESSAGES)
      throw new Failure(`There are ${MAX_MESSAGES} of them already: delete one first.`);
    await this.#section.put(key, toBinary(this.#schema, message));
    this.#known.set(key, message);
  }

  async delete(key: string): Promise<void> {
    await this.#section.del(key);
    this.#known.delete(key);
  }
}

/** By the code points of a text, as Python and RethinkDB sort. */
export function byText<T>(text: (each: T) => string): (a: T, b: T) => number {
  return (a, b) => Buffer.compare(Buffer.from(text(a)), Buffer.from(text(b)));
}
