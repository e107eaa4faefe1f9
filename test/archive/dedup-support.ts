/** What the tests of dedup share: captures that say in a line what matters, and the real steps around the WARC writer. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Capture, CustomRecordCapture, ExchangeCapture } from '../../src/capture/capture.ts';
import type { DedupBucket, Meta } from '../../src/meta/meta.ts';
import { NO_META } from '../../src/meta/meta.ts';
import { Chain } from '../../src/archive/chain.ts';
import { dedupDb } from '../../src/archive/dedup-db.ts';
import { dedupLoader } from '../../src/archive/dedup-loader.ts';
import type { DedupRules } from '../../src/archive/dedup-rules.ts';
import { warcWriter, type WarcWriterOptions } from '../../src/archive/warc-writer.ts';
import { Databases } from '../../src/store/level/database.ts';
import type { DedupStore } from '../../src/store/dedup.ts';
import { levelDedup } from '../../src/store/level/dedup.ts';
import { silentLog } from '../../src/util/log.ts';
import type { WriterPool } from '../../src/warc/write/pool.ts';
import { custom as customParts, exchange as exchangeParts, pool, readAll, recordOptions, type ExchangeParts } from '../warc/support.ts';

export { failure, tempDir } from '../warc/support.ts';

export const RULES: DedupRules = { minTextSize: 0, minBinarySize: 0, onlyWithBucket: false };

export interface CaptureParts extends ExchangeParts {
  meta?: Partial<Meta>;
  /** `b1 b2:ro` */
  buckets?: string;
  warcPrefix?: string;
  contentType?: string | undefined;
  startedAt?: Date;
}

export function exchange({ meta, buckets, warcPrefix = 'P', startedAt, ...parts }: CaptureParts = {}): ExchangeCapture {
  const made = exchangeParts(parts);
  return {
    ...made,
    meta: { ...NO_META, ...meta, ...(buckets === undefined ? {} : { dedupBuckets: bucketsIn(buckets) }) },
    warcPrefix,
    startedAt: startedAt ?? made.startedAt,
    response: {
      ...made.response,
      digest: made.response.digest,
      contentType: 'contentType' in parts ? parts.contentType : made.response.contentType,
    },
  };
}

export function custom(contentType: string, data: string, meta: Partial<Meta> = {}): CustomRecordCapture {
  return { ...customParts('metadata', contentType, data), meta: { ...NO_META, ...meta } };
}

function bucketsIn(text: string): DedupBucket[] {
  return text.split(' ').map((bucket) => {
    const [name = '', mode] = bucket.split(':');
    return { name, mode: mode === 'ro' ? 'ro' : 'rw' };
  });
}

export interface Steps {
  readonly writers: WriterPool;
  /** Take one batch through DedupLoader, WarcWriterProcessor and DedupDb. */
  readonly through: (batch: readonly Capture[]) => Promise<void>;
  /** As the end of the program. */
  readonly close: () => Promise<void>;
}

/** The three steps on a database in `dir` and WARC files next to it. */
export async function dedupSteps(
  dir: string,
  changes: Partial<Omit<WarcWriterOptions, 'pool' | 'records'>> & { rules?: Partial<DedupRules> } = {},
): Promise<Steps> {
  const { rules: changedRules, ...writing } = changes;
  const rules = { ...RULES, ...changedRules };
  const databases = new Databases();
  const index = levelDedup((await databases.open(join(dir, 'db'))).section('dedup')).holder();
  const won: string[] = [];
  const writers = pool(dir, { template: '{prefix}-{serialno}' });
  const common = { methods: [], log: silentLog, ...writing };
  const processors = [
    dedupLoader({ index, won, rules, ...common }),
    warcWriter({ pool: writers, records: recordOptions(), ...common }),
    dedupDb({ index, won, rules }),
  ];
  return {
    writers,
    async through(batch) {
      for (const processor of processors) await processor.process(batch);
    },
    async close() {
      for (const processor of processors) await processor.close?.();
      await databases.close();
    },
  };
}

/** A whole chain on a store that others have, too, with files of its own in `dir`. */
export function chainOn(dir: string, store: DedupStore, name: string): Chain {
  const index = store.holder();
  const won: string[] = [];
  const common = { methods: [], log: silentLog };
  return new Chain({
    processors: [
      dedupLoader({ index, won, rules: RULES, ...common }),
      warcWriter({ pool: pool(dir, { template: `{prefix}-${name}-{serialno}` }), records: recordOptions(), ...common }),
      dedupDb({ index, won, rules: RULES }),
    ],
    done: () => undefined,
    maxQueued: 500,
    log: silentLog,
    isFatal: () => true,
    onFatal: (error) => {
      throw error;
    },
  });
}

/** Steps that are closed when the test ends, if they are not before. */
export async function openSteps(t: TestContext, changes?: Parameters<typeof dedupSteps>[1]): Promise<Steps & { dir: string }> {
  const dir = mkdtempSync(join(tmpdir(), 'warctap-dedup-'));
  const steps = await dedupSteps(dir, changes);
  t.after(async () => {
    await steps.close();
    rmSync(dir, { recursive: true });
  });
  return { ...steps, dir };
}

/** What became of each: type of its principal record, or `-`. */
export function typesOf(captures: readonly Capture[]): string {
  return captures.map(({ outcome }) => outcome.records?.[0]?.type ?? '-').join(' ');
}

/**
 * Every revisit in the files of a folder, checked to refer to a `response` record that is there with the same payload.
 *
 * @returns how many responses and revisits there are
 */
export async function checkReferences(dir: string): Promise<{ responses: number; revisits: number }> {
  const files = readdirSync(dir).filter((name) => /\.warc(\.open)?$/.test(name));
  const records = (await Promise.all(files.map((name) => readAll(join(dir, name))))).flat();
  const field = (record: (typeof records)[number], name: string) => record.header(name);
  const responses = new Map(records.filter(({ type }) => type === 'response').map((record) => [field(record, 'WARC-Record-ID'), record]));
  const revisits = records.filter(({ type }) => type === 'revisit');
  for (const revisit of revisits) {
    const original = responses.get(field(revisit, 'WARC-Refers-To'));
    if (original === undefined) throw new Error(`${String(field(revisit, 'WARC-Refers-To'))} is not there`);
    for (const [mine, its] of [
      ['WARC-Refers-To-Target-URI', 'WARC-Target-URI'],
      ['WARC-Refers-To-Date', 'WARC-Date'],
      ['WARC-Payload-Digest', 'WARC-Payload-Digest'],
    ] as const) {
      if (field(revisit, mine) !== field(original, its)) throw new Error(`${mine} is ${String(field(revisit, mine))}`);
    }
  }
  return { responses: responses.size, revisits: revisits.length };
}
