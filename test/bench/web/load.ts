/**
 * Browsers that load one page after the other.
 *
 * `node --import tsx test/bench/web/load.ts JSON` with a `Load`, whose connections are browsers. Prints `begin` when the warm-up is over, and
 * a `LoadResult` as JSON, whose times are those of pages.
 */
import type { Load, LoadResult } from '../load.ts';
import { Browser } from './browser.ts';

const load = JSON.parse(process.argv[2] ?? '{}') as Load;
const nowUs = () => Number(process.hrtime.bigint() / 1000n);
/** Pages of warm-up of each browser, for seconds that are not enough for one. */
const AT_LEAST_PAGES = 1;

let page = 1;
let answered = 0;
let errors = 0;
let firstError: string | undefined;
let requests = 0;
let bytes = 0;
let connects = 0;
let times: number[] = [];

const browsers = Array.from(
  { length: load.connections },
  () =>
    new Browser(load, {
      answered: (size) => {
        answered++;
        requests++;
        bytes += size;
      },
      connected: () => {
        connects++;
      },
      failed: (error) => {
        errors++;
        firstError ??= error;
      },
    }),
);

/** Each browser for so long, and what is under way to its end. */
async function run(seconds: number): Promise<void> {
  const endMs = performance.now() + seconds * 1000;
  await Promise.all(
    browsers.map(async (browser) => {
      for (let pages = 0; pages < AT_LEAST_PAGES || performance.now() < endMs; pages++) {
        const beganMs = performance.now();
        await browser.visit(page++);
        times.push(performance.now() - beganMs);
      }
    }),
  );
}

await run(load.warmUpSeconds);
[requests, bytes, connects, times] = [0, 0, 0, []];
console.log('begin');
const cpuBefore = process.cpuUsage();
const fromUs = nowUs();
await run(load.seconds);
const toUs = nowUs();
const cpu = process.cpuUsage(cpuBefore);
times.sort((a, b) => a - b);
const at = (share: number) => times[Math.floor(share * (times.length - 1))] ?? 0;
const result: LoadResult = {
  ...{ requests, answered, pages: times.length, seconds: (toUs - fromUs) / 1e6, bytes, errors, connects },
  ...{ p50Ms: at(0.5), p99Ms: at(0.99), cpuSeconds: (cpu.user + cpu.system) / 1e6, fromUs, toUs },
};
if (firstError !== undefined) console.error(`first error: ${firstError}`);
console.log(JSON.stringify(result));
process.exit(0);
