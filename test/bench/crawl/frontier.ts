/**
 * What the frontier costs for each page, with few and with many URLs in it.
 *
 *   node --import tsx test/bench/crawl/frontier.ts [HOSTS] [URLS...]
 *
 * For each size a new database is filled, as links of pages fill it; then, of all sizes in turn, so that whatever else the machine does is
 * felt by all alike, a page is taken, ended, and a link of it put in. Prints CPU a URL and a page, and the memory of the process, of which
 * tables that LevelDB has mapped are a part that the system takes back when it wants to. For docs/benchmarks.md.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CrawlDatabase } from '../../../src/crawl/jobs/database.ts';
import { Frontier } from '../../../src/crawl/jobs/frontier.ts';
import { before, type Entry } from '../../../src/crawl/jobs/host-queue.ts';
import { key } from '../../../src/crawl/jobs/keys.ts';
import { seenKeyOf } from '../../../src/crawl/jobs/canonical.ts';
import { CRAWL_TUNING } from '../../../src/programs/crawl-jobs.ts';
import { Databases } from '../../../src/store/level/database.ts';

const BATCH = 1000;
const ROUNDS = 20;
const PAGES = 250;
const SHOWN_EVERY = 500_000;
const JOB = new Uint8Array(16).fill(7);
const ROOM = { hosts: 250, entries: 1000 };

const [, , hosts = '1', ...sizes] = process.argv;
const HOSTS = Number(hosts);

function linkOf(n: number) {
  const host = `h${n % HOSTS}.example`;
  const url = `http://${host}/a/path/of/some/length/${n}`;
  return { entry: { url, host, cost: 1 + Math.floor(n / 100_000), seed: 0, kind: 'link' as const }, seen: key('S', JOB, seenKeyOf(url)) };
}

class Filled {
  readonly size: number;
  readonly #db: CrawlDatabase;
  readonly #frontier: Frontier;
  #n: number;
  cpuMs = 0;
  pages = 0;

  private constructor(size: number, db: CrawlDatabase) {
    this.size = this.#n = size;
    this.#db = db;
    this.#frontier = new Frontier(db, JOB, ROOM);
  }

  static async of(size: number, db: CrawlDatabase): Promise<Filled> {
    const frontier = new Frontier(db, JOB, ROOM);
    for (let at = 0; at < size; at += BATCH) {
      const links = Array.from({ length: Math.min(BATCH, size - at) }, (_, index) => linkOf(at + index));
      await db.change(
        (batch) => {
          for (const { entry, seen } of links) {
            if (batch.has(seen)) throw new Error('no URL comes twice');
            batch.put(seen);
            frontier.put(batch, entry);
          }
        },
        links.map(({ seen }) => seen),
      );
      if ((at + BATCH) % SHOWN_EVERY === 0) tell(`${at + BATCH} URLs: ${memory()}`);
    }
    return new Filled(size, db);
  }

  async work(): Promise<void> {
    const begun = process.cpuUsage();
    for (let page = 0; page < PAGES; page++) await this.#page();
    this.cpuMs += cpuMsSince(begun);
    this.pages += PAGES;
  }

  async #page(): Promise<void> {
    const frontier = this.#frontier;
    while (frontier.wantsFilling) await frontier.fill();
    let best: Entry | undefined;
    for (const { head } of frontier.hosts.values()) if (head !== undefined && before(head, best)) best = head;
    const entry = best && frontier.hosts.get(best.host)?.take();
    if (entry === undefined) throw new Error('the frontier is empty');
    const { entry: link, seen } = linkOf(this.#n++);
    const added = await this.#db.change(
      (batch) => {
        frontier.delete(batch, entry);
        if (batch.has(seen)) return [];
        batch.put(seen);
        return [frontier.put(batch, link)];
      },
      [seen],
    );
    frontier.ended(entry);
    frontier.added(added);
  }
}

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}

function memory(): string {
  const status = readFileSync('/proc/self/status', 'utf8');
  const [whole, own, mapped] = ['VmRSS', 'RssAnon', 'RssFile'].map((name) => {
    const kib = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
    return Math.round(Number(kib) / 1024);
  });
  return `memory ${whole} MiB: ${own} its own, ${mapped} of files`;
}

function cpuMsSince(begun: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}

const databases = new Databases();
const folder = await mkdtemp(join(tmpdir(), 'warctap-bench-frontier-'));
try {
  const all: Filled[] = [];
  for (const size of sizes.length === 0 ? ['1000', '1000000'] : sizes) {
    const level = (await databases.open(join(folder, size), CRAWL_TUNING)).level();
    const begun = process.cpuUsage();
    all.push(await Filled.of(Number(size), await CrawlDatabase.open(level)));
    tell(`${size} URLs put in: ${((1000 * cpuMsSince(begun)) / Number(size)).toFixed(0)} µs CPU each; ${memory()}`);
  }
  for (const each of all) await each.work();
  for (const each of all) each.cpuMs = each.pages = 0;
  for (let round = 0; round < ROUNDS; round++) for (const each of all) await each.work();
  for (const { size, cpuMs, pages } of all) tell(`${HOSTS} hosts, ${size} URLs: ${(cpuMs / pages).toFixed(3)} ms CPU a page`);
  tell(`${memory()}; at most ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`);
} finally {
  await databases.close();
  await rm(folder, { recursive: true, force: true });
}
