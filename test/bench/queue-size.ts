/**
 * What handing out and reporting cost with little and with much stored.
 *
 *   node --import tsx test/bench/queue-size.ts [URLS...]
 *
 * For each size a new database is filled, closed and opened again; then URLs are handed out and reported, a hundred at a time, by all of them
 * in turn, so that whatever else the machine does is felt by all alike. Prints a line for each size, for docs/queue.md.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { steadyClock } from '../../src/queue/clock.ts';
import { openQueue, type Queue } from '../../src/queue/queue.ts';
import { readReports } from '../../src/queue/reports.ts';
import { knownUrl } from '../../src/queue/urls.ts';
import { Databases } from '../../src/store/level/database.ts';
import { silentLog } from '../../src/util/log.ts';
import { TUNING } from '../../src/programs/queue.ts';

const ROUNDS = 300;
const AT_ONCE = 100;
const BATCH = 1000;
const URLS_OF_A_HOST = 100;

async function open(folder: string): Promise<Queue> {
  const databases = new Databases();
  const level = (await databases.open(folder, TUNING)).level();
  const rules = { leaseMs: 1_800_000, revisitMs: 172_800_000, retryMs: 600_000, maxAttempts: 5, maxPerHost: 0, hostDelayMs: 0 };
  const parts = { adminKey: 'admin:for-this-measurement', hashKeys: false, recheckInterval: 90, clock: steadyClock(), log: silentLog };
  const queue = await openQueue({ level, sync: false, rules, ...parts });
  return {
    ...queue,
    close: async () => {
      await queue.close();
      await databases.close();
    },
  };
}

interface Filled {
  readonly size: number;
  readonly folder: string;
  readonly queue: Queue;
  readonly loaded: number;
  readonly started: number;
  readonly given: number[];
  readonly reported: number[];
}

async function fill(size: number): Promise<Filled> {
  const folder = await mkdtemp(join(tmpdir(), 'warctap-queue-size-'));
  const filling = await open(folder);
  const hosts = Math.max(1, Math.floor(size / URLS_OF_A_HOST));
  const begun = performance.now();
  for (let at = 0; at < size; at += BATCH) {
    const urls = Array.from({ length: Math.min(BATCH, size - at) }, (_, index) => {
      const number = at + index;
      return knownUrl(`http://host-${number % hosts}.example/page/${Math.floor(number / hosts)}?number=${number}`)!;
    });
    await filling.frontier.add(urls, true);
  }
  const loaded = size / ((performance.now() - begun) / 1000);
  await filling.close();
  const opening = performance.now();
  const queue = await open(folder);
  return { size, folder, queue, loaded, started: performance.now() - opening, given: [], reported: [] };
}

/** Take a hundred, report them; in µs a URL. */
async function round({ queue, given, reported }: Filled): Promise<void> {
  const first = performance.now();
  const items = await queue.frontier.handOut('boris', AT_ONCE);
  const second = performance.now();
  await queue.frontier.report(
    'boris',
    readReports(items.map(({ record: { url } }) => ({ url, status: '200 OK', headers: { ETag: '"1"' } }))),
  );
  given.push(((second - first) * 1000) / items.length);
  reported.push(((performance.now() - second) * 1000) / items.length);
}

function at(list: readonly number[], share: number): number {
  return Math.round(list.toSorted((a, b) => a - b)[Math.floor(list.length * share)] ?? NaN);
}

const line = ({ size, loaded, started, given, reported }: Filled) =>
  `| ${size.toLocaleString('en')} | ${Math.round(loaded).toLocaleString('en')} | ${Math.round(started)} | ` +
  `${at(given, 0.25)}, ${at(given, 0.5)} | ${at(reported, 0.25)}, ${at(reported, 0.5)} |`;

const sizes = process.argv.slice(2).map(Number);
const all: Filled[] = [];
try {
  for (const size of sizes.length > 0 ? sizes : [50_000, 500_000, 10_000_000]) all.push(await fill(size));
  const rounds = Math.min(ROUNDS, ...all.map(({ size }) => Math.floor(size / AT_ONCE)));
  for (let number = 0; number < rounds; number++) for (const each of all) await round(each);
  console.log('| URLs stored | loaded a second | start, ms | handed out, µs a URL: quarter, half below | reported, the same |');
  console.log('| ----------- | --------------- | --------- | ----------------------------------------- | ------------------ |');
  for (const each of all) console.log(line(each));
} finally {
  for (const { queue, folder } of all) {
    await queue.close();
    await rm(folder, { recursive: true });
  }
}
