/**
 * Keys of workers and the administrator's: who a request is from.
 *
 * Worker keys stand in the database, readable unless they are to be hashed. They are looked up by a keyed hash, so that the time it takes
 * tells nothing of other keys. Never logs one.
 */
import { createHmac, hash, randomBytes } from 'node:crypto';
import { key, LAST } from './keys.ts';
import { bad, Refusal } from './refusal.ts';
import type { QueueStore } from './store.ts';

export interface Identity {
  readonly name: string;
  readonly admin: boolean;
}

export interface KeyRecord {
  /** readable, or undefined when only its hash is kept */
  readonly key?: string;
  /** salted SHA-256 */
  readonly hash?: string;
  readonly created: number;
}

export interface KnownKey extends KeyRecord {
  readonly name: string;
}

export interface AccessParts {
  readonly store: QueueStore;
  readonly adminKey: string;
  /** only hashes of the keys of workers are kept */
  readonly hashed: boolean;
  /** told of keys that could be guessed, when they are opened and when they are added */
  readonly onWeak: (name: string) => void;
}

const MAX_KEYS = 10_000;
const MIN_CHARS = 8;
const MAX_CHARS = 1024;
const MAX_NAME_CHARS = 64;
/** Those below are told of as weak. */
const STRONG_CHARS = 16;

/** The part before the first colon, or one made of its hash. */
export function nameOf(text: string): string {
  const colon = text.indexOf(':');
  return colon > 0 ? text.slice(0, colon) : `key-${hash('sha256', text).slice(0, 8)}`;
}

/** @returns what is wrong with a key, if anything is */
export function faultOfKey(text: string): string | undefined {
  if (text.length < MIN_CHARS || text.length > MAX_CHARS)
    return `a key must have ${MIN_CHARS} to ${MAX_CHARS} characters, got ${text.length}`;
  if (!/^[\x20-\x7e]*$/.test(text)) return 'a key must be one line of printable ASCII characters';
  if (text !== text.trim()) return 'a key must not begin or end with a space';
  if (nameOf(text).length > MAX_NAME_CHARS)
    return `the name, which is what stands before the first colon, must have at most ${MAX_NAME_CHARS} characters`;
  return undefined;
}

export class Access {
  readonly admin: string;
  readonly hashed: boolean;
  readonly #store: QueueStore;
  readonly #onWeak: (name: string) => void;
  readonly #salt: string;
  readonly #secret = randomBytes(32);
  readonly #adminTag: string;
  readonly #byTag = new Map<string, string>();
  readonly #byName = new Map<string, KnownKey>();

  private constructor({ store, adminKey, hashed, onWeak }: AccessParts, salt: string) {
    this.#store = store;
    this.#onWeak = onWeak;
    this.#salt = salt;
    this.hashed = hashed;
    this.admin = nameOf(adminKey);
    this.#adminTag = this.#tag(adminKey);
    this.#weigh(this.admin, adminKey);
  }

  static async open(parts: AccessParts): Promise<Access> {
    const { store } = parts;
    const salt = await store.change({
      keys: [key.salt],
      apply: (view) => {
        const known = view.get<string>(key.salt);
        const made = known ?? randomBytes(16).toString('hex');
        if (known === undefined) view.set(key.salt, made);
        return made;
      },
    });
    const access = new Access(parts, salt);
    const entries = await store.entriesIn<KeyRecord>({ gte: 'k/', lt: `k/${LAST}`, limit: MAX_KEYS });
    for (const [name, record] of entries) access.#remember({ ...record, name: decodeURIComponent(name.slice(2)) });
    if (parts.hashed && entries.some(([, record]) => record.key !== undefined)) await access.#hashAll();
    return access;
  }

  /** Whose key this is. */
  identify(text: string): Identity | undefined {
    const tag = this.#tag(text);
    if (tag === this.#adminTag) return { name: this.admin, admin: true };
    const name = this.#byTag.get(tag);
    return name === undefined ? undefined : { name, admin: false };
  }

  /** Whether one that was identified before is still let in. */
  lets({ name, admin }: Identity): boolean {
    return admin || this.#byName.has(name);
  }

  /** By name. */
  get keys(): readonly KnownKey[] {
    return [...this.#byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** As the administrator is shown it. */
  shown(name: string): string {
    return this.#byName.get(name)?.key ?? `${name}:***`;
  }

  /** @returns whether it is new. @throws Refusal */
  async add(text: string, nowMs: number): Promise<boolean> {
    const fault = faultOfKey(text);
    if (fault !== undefined) throw bad(fault);
    const [name, tag] = [nameOf(text), this.#tag(text)];
    if (tag === this.#adminTag) throw new Refusal(409, 'This is the administrator key.');
    if (this.#byTag.has(tag)) return false;
    if (this.#byName.has(name) || name === this.admin) throw new Refusal(409, 'Name is taken.');
    if (this.#byName.size >= MAX_KEYS) throw new Refusal(409, `There are ${MAX_KEYS} keys already: delete one first.`);
    const record: KeyRecord = { ...(this.hashed ? { hash: this.#hash(text) } : { key: text }), created: nowMs };
    this.#remember({ ...record, name });
    if (this.hashed) this.#weigh(name, text);
    try {
      await this.#store.change({ keys: [], apply: (view) => view.set(key.worker(name), record) });
    } catch (error) {
      this.#forget(name);
      throw error;
    }
    return true;
  }

  /** @param text the key, or its name. @returns the name. @throws Refusal */
  async remove(text: string): Promise<string> {
    const tag = this.#tag(text);
    if (tag === this.#adminTag || text === this.admin) throw new Refusal(403, 'The administrator key cannot be deleted here.');
    const name = this.#byTag.get(tag) ?? (this.#byName.has(text) ? text : undefined);
    if (name === undefined) throw new Refusal(404, 'There is no such key.');
    await this.#store.change({ keys: [], apply: (view) => view.delete(key.worker(name)) });
    this.#forget(name);
    return name;
  }

  #remember(known: KnownKey): void {
    if (known.key !== undefined) this.#weigh(known.name, known.key);
    this.#byName.set(known.name, known);
    this.#byTag.set(this.#tagOfHash(known.hash ?? this.#hash(known.key ?? '')), known.name);
  }

  /** Keys that were added before only hashes were wanted: they leave the files, too. */
  async #hashAll(): Promise<void> {
    const hashed = this.keys.map(({ name, key: text, hash: known = this.#hash(text ?? ''), created }) => ({ name, hash: known, created }));
    await this.#store.change({
      keys: [],
      apply: (view) => {
        for (const { name, ...record } of hashed) view.set(key.worker(name), record);
      },
    });
    await this.#store.level.compactRange('k/', `k/${LAST}`);
    for (const known of hashed) this.#byName.set(known.name, known);
  }

  #weigh(name: string, text: string): void {
    if (text.length < STRONG_CHARS) this.#onWeak(name);
  }

  #forget(name: string): void {
    this.#byName.delete(name);
    for (const [tag, each] of this.#byTag) if (each === name) this.#byTag.delete(tag);
  }

  #hash(text: string): string {
    return hash('sha256', `${this.#salt}:${text}`);
  }

  #tag(text: string): string {
    return this.#tagOfHash(this.#hash(text));
  }

  #tagOfHash(hashed: string): string {
    return createHmac('sha256', this.#secret).update(hashed).digest('base64');
  }
}
