/**
 * Items in the database: as they are stored, read in pages, and as a stream that goes from those there are to those that come.
 */
import { gzip } from 'node:zlib';
import { promisify } from 'node:util';
import { LRUCache } from 'lru-cache';
import type { Batch, CrawlDatabase } from './database.ts';
import { count, itemKey, key, readItemKey, within, type ItemKind } from './keys.ts';
import type { BodyForm, Id, Item, ItemBody, ItemFilter, ItemPage, ItemsAfter, ReadItem, RecordPlace } from './types.ts';
import { JobDeletedError } from './types.ts';
import type { NewItem } from './visit.ts';
import type { Waiting } from './waiters.ts';
import { decoded, type WarcBodies } from './warc-bodies.ts';
import type { Place } from '../../warc/read/place.ts';

/** As it is stored; short names, as there are many. */
interface Stored {
  readonly u: string;
  readonly c: string;
  readonly k: number;
  readonly s: number;
  readonly d: number;
  readonly x?: string | undefined;
  readonly a?: { readonly s: number; readonly t: string; readonly h: readonly (readonly [string, string])[] } | undefined;
  readonly r?: readonly [id: string, file: string, offset: number] | undefined;
  readonly f?: string | undefined;
  /** of the body */
  readonly b?: readonly [id: string, file: string, offset: number] | 'aside' | undefined;
}

export function kindOf({ answer }: Pick<NewItem, 'answer'>): ItemKind {
  if (answer === undefined) return 'exception';
  return answer.status >= 200 && answer.status <= 299 ? 'success' : 'error';
}

/** Part of a change. @param place of its body; undefined: what is kept of it stands in the database */
export function putItem(batch: Batch, job: Id, item: NewItem, place: Place | undefined): void {
  const sequence = ++batch.sequence;
  const { url, urlCan, cost, startedAt, duration, exception, answer, finalUrl, first, kept } = item;
  const [record] = first?.records ?? [];
  const stored: Stored = {
    u: url,
    c: urlCan,
    k: cost,
    s: startedAt,
    d: duration,
    x: exception,
    a: answer && { s: answer.status, t: answer.contentType, h: answer.headers },
    r: record && [record.id, record.filename, record.offset],
    f: finalUrl,
    b: answer && (place === undefined ? kept && 'aside' : [place.recordId, place.file, place.offset]),
  };
  batch.put(itemKey(job, sequence, kindOf(item)), stored);
  if (answer !== undefined && place === undefined && kept !== undefined && kept.length > 0) batch.put(key('B', job, count(sequence)), kept);
}

/** Types whose bodies are sent packed. */
const PACKED = /^(?:text\/|application\/(?:json|pdf)$)/;
const packed = promisify(gzip);
const LEVEL = 6;
/** Bodies that several read at the same time are read once. */
const CACHED_BYTES = 16 * 1024 * 1024;
/** Items that are read ahead, without their bodies. */
const AHEAD = 20;

export interface ItemsParts {
  readonly db: CrawlDatabase;
  readonly bodies: WarcBodies;
  readonly maxBodyBytes: number;
}

/** What a stream has to know of its job. */
export interface Watched {
  /** More may come; undefined: it is gone. @throws Error when nothing can be read any more */
  running(): boolean | undefined;
  changed(): Waiting;
}

export class Items {
  readonly #parts: ItemsParts;
  readonly #cache = new LRUCache<string, ItemBody>({ maxSize: CACHED_BYTES, sizeCalculation: ({ bytes }) => bytes.length + 1 });

  constructor(parts: ItemsParts) {
    this.#parts = parts;
  }

  /** In ascending sequence. @throws Error that says why one cannot be read */
  async page(job: Id, filter: ItemFilter, { offset, limit, bodies, newestFirst = false }: ItemPage): Promise<ReadItem[]> {
    const { db } = this.#parts;
    const names: Buffer[] = [];
    let skipped = 0;
    if (limit > 0) {
      for await (const name of db.keys({ ...within(key('I', job)), reverse: newestFirst })) {
        if (!filter[readItemKey(name).kind] || skipped++ < offset) continue;
        names.push(name);
        if (names.length === limit) break;
      }
    }
    const values = await db.getMany(names);
    const items: ReadItem[] = [];
    for (const [index, name] of names.entries()) {
      const value = values[index];
      if (value !== undefined) items.push(await this.#read(job, name, value, bodies));
    }
    return items;
  }

  /** @returns undefined where there is none. @throws Error that says why it cannot be read */
  async one(job: Id, sequence: number, bodies: BodyForm): Promise<ReadItem | undefined> {
    const [entry] = await this.#parts.db.entries({ ...within(key('I', job, count(sequence))), limit: 1 });
    return entry && this.#read(job, ...entry, bodies);
  }

  /** @throws JobDeletedError; Error that says why one cannot be read */
  async *after(job: Id, sequence: number, { compressionOk, signal }: ItemsAfter, watched: Watched): AsyncGenerator<ReadItem, void> {
    const { lt } = within(key('I', job));
    let from = sequence;
    while (!isAborted(signal)) {
      // In this order: what is stored after the question is told by the change that is waited for.
      const changed = watched.changed();
      signal?.addEventListener('abort', changed.leave, { once: true });
      try {
        const running = watched.running();
        if (running === undefined) throw new JobDeletedError('the job was deleted');
        const entries = await this.#parts.db.entries({ gte: key('I', job, count(from + 1)), lt, limit: AHEAD });
        for (const [name, value] of entries) {
          const item = await this.#read(job, name, value, compressionOk ? 'packed' : 'plain');
          if (isAborted(signal)) return;
          yield item;
          from = item.sequence;
        }
        if (entries.length > 0) continue;
        if (!running) return;
        await changed.woken;
      } finally {
        signal?.removeEventListener('abort', changed.leave);
        changed.leave();
      }
    }
  }

  async #read(jobId: Id, name: Buffer, value: Buffer, bodies: BodyForm): Promise<ReadItem> {
    const stored = JSON.parse(value.toString()) as Stored;
    const item = itemOf(jobId, readItemKey(name).sequence, stored);
    const body = stored.b === undefined || bodies === 'none' ? undefined : await this.#body(item, stored.b, bodies);
    return { ...item, body };
  }

  async #body(item: Item, place: NonNullable<Stored['b']>, form: BodyForm): Promise<ItemBody | undefined> {
    const isPacked = form === 'packed' && PACKED.test(item.answer?.contentType ?? '');
    const known = `${item.sequence} ${isPacked}`;
    const cached = this.#cache.get(known);
    if (cached !== undefined) return cached;
    const plain = await this.#plain(item, place);
    const body =
      isPacked && plain.length > 0
        ? { bytes: await packed(plain, { level: LEVEL }), isCompressed: true }
        : { bytes: plain, isCompressed: false };
    this.#cache.set(known, body);
    return body;
  }

  async #plain({ jobId, sequence, answer }: Item, place: NonNullable<Stored['b']>): Promise<Buffer> {
    const { db, bodies, maxBodyBytes } = this.#parts;
    const coding = answer?.headers.find(([name]) => name === 'CONTENT-ENCODING')?.[1];
    if (place === 'aside') return decoded((await db.get(key('B', jobId, count(sequence)))) ?? Buffer.alloc(0), coding, maxBodyBytes);
    const [recordId, file, offset] = place;
    return bodies.read({ recordId, file, offset }, coding, maxBodyBytes);
  }
}

function itemOf(jobId: Id, sequence: number, stored: Stored): Item {
  const { u, c, k, s, d, x, a, r, f } = stored;
  const record: RecordPlace | undefined = r && { id: r[0], file: r[1], offset: r[2] };
  return {
    jobId,
    sequence,
    url: u,
    urlCan: c,
    cost: k,
    startedAt: s,
    completedAt: s + d * 1000,
    duration: d,
    isSuccess: a !== undefined && a.s >= 200 && a.s <= 299,
    exception: x,
    answer: a && { status: a.s, contentType: a.t, headers: a.h },
    record,
    finalUrl: f,
  };
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
