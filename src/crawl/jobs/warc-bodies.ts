/**
 * Bodies of items, read back from the WARC files that they stand in.
 *
 * For each file that a job has items in, a second name (hard link) is kept in a folder of ours: it costs nothing as long as the file stands
 * where it was written, and has its bytes when it is moved away. It goes with the last job that needs it.
 * Where the file system has no such links, and for what is in no WARC file, small bodies stand in the database.
 */
import { link, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { makeFolders } from '../../util/folder.ts';
import type { Log } from '../../util/log.ts';
import { codeOf, reasonOf } from '../../util/thrown.ts';
import { OPEN_SUFFIX } from '../../warc/paths.ts';
import { payloadOf, readBlock } from '../../warc/read/message.ts';
import { openRecord, type OpenRecord, type Place } from '../../warc/read/place.ts';
import type { Batch, CrawlDatabase } from './database.ts';
import { ID_BYTES, key, within } from './keys.ts';
import { unpacked } from './read-bytes.ts';
import type { ArchivedAnswer } from './requests.ts';
import type { Id } from './types.ts';

export interface WarcBodiesParts {
  readonly db: CrawlDatabase;
  /** of the WARC files */
  readonly dir: string;
  /** of the second names */
  readonly keepDir: string;
  /** of a record that another refers to */
  readonly byId: (recordId: string) => Promise<Place | undefined>;
  readonly log: Log;
}

/** Where a body stands. */
export type BodyPlace = Place | 'aside';

const KEPT_IN_MEMORY = 10_000;

export class WarcBodies {
  readonly #parts: WarcBodiesParts;
  /** jobs and files that are known to be kept */
  readonly #kept = new LRUCache<string, true>({ max: KEPT_IN_MEMORY });
  #cannotLink = false;

  private constructor(parts: WarcBodiesParts) {
    this.#parts = parts;
  }

  static async open(parts: WarcBodiesParts): Promise<WarcBodies> {
    await makeFolders(parts.keepDir, 0o700);
    return new WarcBodies(parts);
  }

  /** Where the body of an answer stands; undefined: nowhere where it is sure to be found again. */
  async place(job: Id, archived: ArchivedAnswer | undefined): Promise<Place | undefined> {
    const [record] = archived?.records ?? [];
    if (record === undefined) return undefined;
    const original = record.type === 'revisit' ? archived?.duplicateOf?.recordId : record.id;
    const found =
      original === record.id
        ? { file: record.path, offset: record.offset, recordId: record.id }
        : original === undefined || original === ''
          ? undefined
          : await this.#parts.byId(original);
    return found !== undefined && (await this.#keep(job, found.file)) ? found : undefined;
  }

  /** Part of a change, for a place of a job. */
  save(batch: Batch, job: Id, { file }: Place): void {
    batch.put(key('K', job, Buffer.from(file)));
  }

  /**
   * The body without transfer-coding and without the content-coding that its head says; as it came where that cannot be undone.
   *
   * @throws Error that says why it cannot be read
   */
  async read(place: Place, coding: string | undefined, maxBytes: number): Promise<Buffer> {
    const opened = await this.#open(place);
    const raw: Buffer[] = [];
    try {
      const block = await readBlock(opened.record);
      for await (const piece of block.kind === 'http' ? payloadOf(block) : block.bytes) raw.push(piece);
    } finally {
      await opened.close();
    }
    return decoded(Buffer.concat(raw), coding, maxBytes);
  }

  /** The job is gone, and what was kept for it alone. */
  async release(job: Id): Promise<void> {
    const { db, keepDir, log } = this.#parts;
    const own = new Set<string>();
    const others = new Set<string>();
    for await (const name of db.keys(within(key('K')))) {
      const file = name.toString('utf8', 1 + ID_BYTES);
      (name.subarray(1, 1 + ID_BYTES).equals(job) ? own : others).add(file);
    }
    for (const file of own) {
      if (others.has(file)) continue;
      await unlink(join(keepDir, nameOf(file))).catch((error: unknown) => {
        if (codeOf(error) !== 'ENOENT') log.warn({ file }, `a WARC file of a deleted job is still kept: ${reasonOf(error)}`);
      });
      this.#kept.clear();
    }
    await db.clear(within(key('K', job)), () => false);
  }

  async #open(place: Place): Promise<OpenRecord> {
    const { dir, keepDir } = this.#parts;
    const there = await openRecord(dir, place);
    if (typeof there !== 'string') return there;
    const kept = await openRecord(keepDir, { ...place, file: nameOf(place.file) });
    if (typeof kept !== 'string') return kept;
    throw new Error(`the record ${place.recordId} in ${place.file} is not there any more: ${there}`);
  }

  /** @returns false when it cannot be */
  async #keep(job: Id, file: string): Promise<boolean> {
    const { dir, keepDir, log } = this.#parts;
    const known = `${Buffer.from(job).toString('latin1')}${file}`;
    if (this.#kept.has(known)) return true;
    if (this.#cannotLink) return false;
    const to = join(keepDir, nameOf(file));
    // The final name may be given to it while we look.
    for (const suffix of ['', OPEN_SUFFIX, '']) {
      const code = await link(join(dir, file + suffix), to).then(() => 'EEXIST', codeOf);
      if (code === 'EEXIST') {
        this.#kept.set(known, true);
        return true;
      }
      if (code !== 'ENOENT') {
        this.#cannotLink = true;
        log.warn({ keepDir }, `WARC files of jobs cannot be kept when they are moved away: no links from ${dir} to ${keepDir} (${code})`);
        return false;
      }
    }
    return false;
  }
}

export async function decoded(raw: Buffer, coding: string | undefined, maxBytes: number): Promise<Buffer> {
  if ((coding ?? '').trim() === '') return raw;
  try {
    const body = await unpacked(pieces(raw), coding, maxBytes + 1);
    return body.length > maxBytes ? raw : body;
  } catch {
    return raw;
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- one interface for memory and file
async function* pieces(bytes: Buffer): AsyncGenerator<Buffer, void> {
  yield bytes;
}

/** In one folder, whatever folders it has. */
function nameOf(file: string): string {
  return encodeURIComponent(file);
}
