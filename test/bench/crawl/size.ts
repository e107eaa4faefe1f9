/**
 * What a page costs the whole program (fetching, archiving, storing, and a client that has all items synced), with few and with many URLs in
 * the frontier.
 *
 *   npm run build && node --import tsx test/bench/crawl/size.ts [URLS...]
 *
 * For each size a server of its own, started as users start it, with a job whose first pages have so many links. Each page has a link that
 * is new, so the frontier keeps its size. The site lets one job go on at a time, in turns, so that whatever else the machine does is felt by
 * all alike. Prints CPU a page, of the process with its threads, and its memory, for docs/benchmarks.md.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  CrawlClient,
  JobRunState,
  PatternMatch,
  PolicyRobotsTxt_Usage as Usage,
  PolicyUrlRule_Action as Action,
} from '../../../src/crawl/client.ts';

const PAGES = 500;
const ROUNDS = 12;
/** Code that has run often is compiled by then; of a job that has read a million links it is anyway. */
const WARM_UP = 2500;
const HOSTS = 20;
const LINKS_A_PAGE = 50_000;
const WORDS = ['archive', 'of', 'the', 'web', 'pages', 'that', 'were', 'there', 'and', 'are', 'kept', 'for', 'whoever', 'comes', 'later'];
const PASSWORD = 'a password';
/** Of `/proc/PID/stat`, which counts them in hundredths of seconds. */
const TICK_MS = 10;

/** Pages of one job: past so many that it is to give, requests for them wait. */
class Site {
  #port = 0;
  #next: number;
  #left = 0;
  readonly #size: number;
  readonly #held: (() => void)[] = [];
  readonly #servers: Server[] = [];

  constructor(size: number) {
    this.#size = this.#next = size;
  }

  async listen(): Promise<string> {
    for (let host = 1; host <= HOSTS; host++) {
      const server = createServer({ keepAlive: true, keepAliveTimeout: 600_000 }, ({ url = '' }, response) => {
        if (!url.startsWith('/page') || this.#left-- > 0) this.#answer(url, response);
        else this.#held.push(() => this.#answer(url, response));
      });
      server.listen(this.#port, `127.0.0.${host}`);
      await once(server, 'listening');
      this.#port = (server.address() as AddressInfo).port;
      this.#servers.push(server);
    }
    return `http://127.0.0.1:${this.#port}/first`;
  }

  give(pages: number): void {
    const held = this.#held.splice(0, pages);
    this.#left = pages - held.length;
    for (const answer of held) answer();
  }

  close(): void {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
  }

  #answer(url: string, response: ServerResponse): void {
    const [, kind, n = '0'] = /^\/(first|links|page)\/?(\d*)/.exec(url) ?? [];
    const body = kind === 'first' ? this.#first() : kind === 'links' ? this.#links(Number(n)) : this.#page(Number(n));
    response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Length': Buffer.byteLength(body) }).end(body);
  }

  #first(): string {
    const pages = Array.from({ length: Math.ceil(this.#size / LINKS_A_PAGE) }, (_, n) => `<a href="/links/${n}">${n}</a>`);
    return `<!doctype html>${pages.join('')}`;
  }

  #links(n: number): string {
    const last = Math.min(this.#size, (n + 1) * LINKS_A_PAGE);
    return `<!doctype html>${Array.from({ length: last - n * LINKS_A_PAGE }, (_, index) => this.#link(n * LINKS_A_PAGE + index)).join('')}`;
  }

  #page(n: number): string {
    const known = Array.from({ length: 11 }, (_, index) => this.#link((n * 31 + index * 17) % this.#size));
    const text = Array.from({ length: 1500 }, (_, index) => WORDS[(n * 7 + index * index) % WORDS.length]).join(' ');
    return `<!doctype html><title>${n}</title><ul>${known.join('')}${this.#link(this.#next++)}</ul><p>${text}</p>`;
  }

  #link(n: number): string {
    return `<li><a href="http://127.0.0.${(n % HOSTS) + 1}:${this.#port}/page/${n}/of/this/site">${n}</a></li>`;
  }
}

/** A server with one job. */
class Crawl {
  readonly size: number;
  readonly #site: Site;
  readonly #child: ChildProcess;
  readonly #client: CrawlClient;
  /** that the client has got */
  #items = 0;
  #wanted = 0;
  #got: () => void = () => undefined;
  closing = false;
  cpuMs = 0;
  pages = 0;

  private constructor(size: number, site: Site, child: ChildProcess, client: CrawlClient) {
    this.size = size;
    this.#site = site;
    this.#child = child;
    this.#client = client;
  }

  static async start(size: number, folder: string): Promise<Crawl> {
    const site = new Site(size);
    const seed = await site.listen();
    const files = [
      '--db',
      `${folder}/db`,
      '--dir',
      `${folder}/warcs`,
      '--stats-db-file',
      `${folder}/stores`,
      '--dedup-db-file',
      `${folder}/stores`,
    ];
    const others = ['--port', '0', '--gzip', '--allow-localhost', '--download-timeout', '3600', '--socket-timeout', '3600'];
    const args = [join(import.meta.dirname, '../../../bin/warctap.js'), 'crawl', 'serve', ...files, ...others];
    const env = { ...process.env, WARCTAP_CRAWL_ADMIN_PASSWORD: PASSWORD };
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let url: string | undefined;
    for await (const line of createInterface(child.stdout)) if ((url = /http:\/\/\S+?:\d+/.exec(line)?.[0]) !== undefined) break;
    child.stdout.resume();
    if (url === undefined) throw new Error('the server has not said where it listens');
    const client = await CrawlClient.connect({ url, username: 'admin', password: PASSWORD });
    await client.command({ case: 'setRateLimit', value: { delay: 0 } });
    const { policyId } = await client.get({ case: 'setPolicy', value: { policy: POLICY } }, 'newPolicy');
    const { jobId } = await client.get({ case: 'setJob', value: { policyId, seeds: [seed], runState: JobRunState.RUNNING } }, 'newJob');
    const crawl = new Crawl(size, site, child, client);
    crawl.#sync(jobId).catch((error: unknown) => {
      if (!crawl.closing) throw error;
    });
    // The first page and those with all the links, which are given at once; then some that warm up.
    await crawl.#pages(0, 1 + Math.ceil(size / LINKS_A_PAGE));
    await crawl.#pages(WARM_UP);
    return crawl;
  }

  async work(): Promise<void> {
    const before = this.#used();
    await this.#pages(PAGES);
    this.cpuMs += this.#used() - before;
    this.pages += PAGES;
  }

  get maxRssMiB(): number {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8'))?.[1];
    return Number(kib) / 1024;
  }

  async close(): Promise<void> {
    this.closing = true;
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    this.#site.close();
    await this.#client.close();
    await ended;
  }

  /** Given by the site, and in the hands of the client. */
  async #pages(count: number, others = 0): Promise<void> {
    this.#wanted += count + others;
    const got = new Promise<void>((resolve) => (this.#got = resolve));
    this.#site.give(count);
    await got;
  }

  async #sync(jobId: Uint8Array): Promise<void> {
    for await (const { item } of this.#client.jobSync(jobId)) {
      if (item?.isSuccess !== true) throw new Error(`${item?.url} is no page: ${item?.exception}`);
      if (++this.#items === this.#wanted) this.#got();
    }
  }

  #used(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  }
}

const POLICY = {
  name: 'bench',
  mimeTypeRules: [{ pattern: '^text/', match: PatternMatch.MATCHES, save: true }, { save: false }],
  proxyRules: [{}],
  robotsTxt: { usage: Usage.IGNORE },
  urlNormalization: { enabled: true },
  urlRules: [{ action: Action.ADD, amount: 1 }],
  userAgents: [{ name: 'bench' }],
};

const [, , ...sizes] = process.argv;
const folder = mkdtempSync(join(tmpdir(), 'warctap-bench-size-'));
const all: Crawl[] = [];
try {
  for (const size of sizes.length === 0 ? ['1000', '1000000'] : sizes) {
    all.push(await Crawl.start(Number(size), join(folder, size)));
    process.stderr.write(`${size} URLs are in\n`);
  }
  for (let round = 1; round <= ROUNDS; round++) {
    for (const each of all) await each.work();
    process.stderr.write(`round ${round}: ${all.map(({ cpuMs, pages }) => (cpuMs / pages).toFixed(2)).join(', ')} ms until now\n`);
  }
  for (const { size, cpuMs, pages, maxRssMiB } of all)
    process.stdout.write(`${size} URLs: ${(cpuMs / pages).toFixed(2)} ms CPU a page, memory at most ${maxRssMiB.toFixed(0)} MiB\n`);
} finally {
  for (const each of all) await each.close();
  rmSync(folder, { recursive: true, force: true });
}
