/**
 * What handing out and reporting cost with little and with much stored.
 *
 *   node --import tsx test/bench/queue-size.ts [URLS...]
 *
 * For each size a new database is filled, closed and opened again; then URLs are handed out and reported, a hundred at a time. Prints a line
 * for each size, for docs/queue.md.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { steadyClock } from '../../src/queue/clock.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { readReports } from '../../src/queue/reports.ts';
import { knownUrl } from '../../src/queue/urls.ts';
import { Databases } from '../../src/store/level/database.ts';
import { silentLog } from '../../src/util/log.ts';
import { TUNING } from '../../src/programs/queue.ts';

const ROUNDS = 300;
const AT_ONCE = 100;
const BATCH = 1000;
const URLS_OF_A_HOST = 100;

async function open(folder: string) {
  const databases = new Databases();
  const level = (await databases.open(folder, TUNING)).level();
  const rules = { leaseMs: 1_800_000, revisitMs: 172_800_000, maxAttempts: 5, maxPerHost: 0, hostDelayMs: 0 };
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

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN;
}

async function measure(size: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'warctap-queue-size-'));
  try {
    let queue = await open(folder);
    const hosts = Math.max(1, Math.floor(size / URLS_OF_A_HOST));
    const begun = performance.now();
    for (let at = 0; at < size; at += BATCH) {
      const urls = Array.from({ length: Math.min(BATCH, size - at) }, (_, index) => {
        const number = at + index;
        return knownUrl(`http://host-${number % hosts}.example/page/${Math.floor(number / hosts)}?number=${number}`)!;
      });
      await queue.frontier.add(urls, true);
    }
    const loaded = size / ((performance.now() - begun) / 1000);
    await queue.close();
    const opening = performance.now();
    queue = await open(folder);
    const started = performance.now() - opening;
    const given: number[] = [];
    const reported: number[] = [];
    const rounds = Math.min(ROUNDS, Math.floor(size / AT_ONCE));
    for (let round = 0; round < rounds; round++) {
      const first = performance.now();
      const items = await queue.frontier.handOut('boris', AT_ONCE);
      const second = performance.now();
      await queue.frontier.report(
        'boris',
        readReports(items.map(({ record: { url } }) => ({ url, status: '200 OK', headers: { ETag: '"1"' } }))),
      );
      reported.push((performance.now() - second) / items.length);
      given.push((second - first) / items.length);
    }
    // Tables are mapped, and what is mapped is the system's to take back.
    const [, kilobytes = 'NaN'] = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    const memory = Math.round(Number(kilobytes) / 1000);
    await queue.close();
    const micros = (list: readonly number[]) => Math.round(median(list) * 1000);
    return `| ${size.toLocaleString('en')} | ${Math.round(loaded).toLocaleString('en')} | ${started.toFixed(1)} | ${micros(given)} | ${micros(reported)} | ${memory} |`;
  } finally {
    await rm(folder, { recursive: true });
  }
}

const sizes = process.argv.slice(2).map(Number);
console.log('| URLs stored | loaded a second | start, ms | handed out, µs a URL | reported, µs a URL | memory, MB |');
console.log('| ----------- | --------------- | --------- | -------------------- | ------------------ | ---------- |');
for (const size of sizes.length > 0 ? sizes : [10_000, 100_000, 1_000_000, 10_000_000]) console.log(await measure(size));
