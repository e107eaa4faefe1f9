/** Crawl jobs on a core of their own, and sites on 127.0.0.0/8 for them. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { CrawlJobs } from '../../../src/crawl/jobs/jobs.ts';
import { CRAWL_DEFAULTS, type CrawlSettings } from '../../../src/crawl/jobs/parts.ts';
import type { Id, Job, ReadItem } from '../../../src/crawl/jobs/types.ts';
import {
  JobRunState,
  PatternMatch,
  PolicyRobotsTxt_Usage as Usage,
  PolicySchema,
  PolicyUrlRule_Action as Action,
  type CaptchaSolver,
  type DomainLogin,
  type Policy,
} from '../../../src/crawl/proto/starbelly_pb.ts';
import { resolve } from '../../../src/options/resolve.ts';
import type { CoreOptions } from '../../../src/options/table.ts';
import { CORE_OPTIONS } from '../../../src/options/table.ts';
import type { Core } from '../../../src/programs/core.ts';
import { openCore } from '../../../src/programs/open-core.ts';
import { CRAWL_TUNING, openCrawlJobs } from '../../../src/programs/crawl-jobs.ts';
import { Databases } from '../../../src/store/level/database.ts';
import { silentLog, type Log } from '../../../src/util/log.ts';
import { atExit } from '../../support/at-exit.ts';

export interface Site {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  /** paths, in the order in which they were asked for */
  readonly asked: readonly string[];
  readonly requests: readonly IncomingMessage[];
}

export async function startSite(t: TestContext, answer: RequestListener, address = '127.0.0.1'): Promise<Site> {
  const requests: IncomingMessage[] = [];
  const asked: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    asked.push(request.url ?? '');
    answer(request, response);
  });
  server.listen(0, address);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://${address}:${port}`, port, asked, requests };
}

/** Pages of a site, by path; everything else is 404, robots.txt too. */
export function pages(texts: Readonly<Record<string, string>>): RequestListener {
  return (request, response) => {
    const text = texts[request.url ?? ''];
    response.writeHead(text === undefined ? 404 : 200, { 'Content-Type': 'text/html' }).end(text ?? 'none');
  };
}

export interface Crawls extends AsyncDisposable {
  readonly jobs: CrawlJobs;
  readonly core: Core;
  readonly folder: string;
  readonly warcDir: string;
  /** seconds, by host; others have none */
  readonly delays: Map<string, number>;
  readonly logins: Map<string, DomainLogin>;
  readonly solvers: CaptchaSolver[];
  close(): Promise<void>;
}

export interface CrawlsOptions {
  /** of crawls before */
  readonly folder?: string;
  readonly core?: CoreOptions;
  readonly settings?: Partial<CrawlSettings>;
  readonly log?: Log;
  /** added to what jobs say of themselves to the core */
  readonly meta?: object;
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'warctap-crawl-'));
  atExit(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function openCrawls({
  folder = temporaryFolder(),
  core: given = {},
  settings = {},
  log = silentLog,
  meta = {},
}: CrawlsOptions = {}): Promise<Crawls> {
  const warcDir = join(folder, 'warcs');
  const stores = { dedupDbFile: join(folder, 'core-db'), statsDbFile: join(folder, 'core-db') };
  const options = resolve(CORE_OPTIONS, { dir: warcDir, prefix: 'starbelly', allowLocalhost: true, minFreeSpace: 0, ...stores, ...given });
  const core = await openCore({ options, log, playbackIndex: true });
  const databases = new Databases(log);
  const level = (await databases.open(join(folder, 'db'), CRAWL_TUNING)).level();
  const delays = new Map<string, number>();
  const logins = new Map<string, DomainLogin>();
  const solvers: CaptchaSolver[] = [];
  const jobs = await openCrawlJobs({
    core: {
      warcDir: core.warcDir,
      playbackIndex: core.playbackIndex,
      fetch: (url, request) => core.fetch(url, { ...request, meta: { ...request?.meta, ...meta } }),
    },
    ...{ level, folder, log },
    delays: { delayOf: (host) => delays.get(host) ?? 0 },
    logins: { loginOf: (host) => logins.get(host) },
    solvers: { solverOf: (id) => solvers.find(({ solverId }) => Buffer.from(solverId).equals(id)) },
    settings: { ...CRAWL_DEFAULTS, ...settings },
  });
  let closing: Promise<void> | undefined;
  const close = () =>
    (closing ??= (async () => {
      await jobs.close();
      await core.close();
      await databases.close();
    })());
  return { jobs, core, folder, warcDir, delays, logins, solvers, close, [Symbol.asyncDispose]: close };
}

/** Follows links within the sites of the seeds, asks no robots.txt, saves text. */
export function policy(change: MessageInitShape<typeof PolicySchema> = {}): Policy {
  const usual: MessageInitShape<typeof PolicySchema> = {
    name: 'Deep Crawl',
    limits: { maxCost: 10 },
    mimeTypeRules: [{ pattern: '^text/', match: PatternMatch.MATCHES, save: true }, { save: false }],
    proxyRules: [{}],
    robotsTxt: { usage: Usage.IGNORE },
    urlRules: [
      { pattern: '^https?://({SEED_DOMAINS})/', match: PatternMatch.MATCHES, action: Action.ADD, amount: 1 },
      { action: Action.MULTIPLY, amount: 0 },
    ],
    userAgents: [{ name: 'test-crawler/{VERSION}' }],
  };
  return create(PolicySchema, { ...usual, ...change } as MessageInitShape<typeof PolicySchema>);
}

/** Resolves with the job once it is in this state. */
export async function untilState({ jobs }: Crawls, id: Id, state: JobRunState): Promise<Job> {
  return untilJob({ jobs }, id, (job) => job.runState === state);
}

export async function untilJob({ jobs }: Pick<Crawls, 'jobs'>, id: Id, wanted: (job: Job) => boolean): Promise<Job> {
  for (;;) {
    const changed = new Promise<void>((done) => {
      const end = jobs.onChange(() => {
        end();
        done();
      });
    });
    const job = await jobs.get(id);
    if (wanted(job)) return job;
    await changed;
  }
}

export async function allItems({ jobs }: Crawls, id: Id, after = 0, compressionOk = false): Promise<ReadItem[]> {
  const items: ReadItem[] = [];
  for await (const item of await jobs.itemsAfter(id, after, { compressionOk })) items.push(item);
  return items;
}

/** Made, and ended by itself. */
export async function crawl(
  crawls: Crawls,
  seeds: string | readonly string[],
  its: Policy = policy(),
): Promise<readonly [Job, ReadItem[]]> {
  const id = await crawls.jobs.create({ seeds: typeof seeds === 'string' ? [seeds] : seeds, policy: its });
  const items = await allItems(crawls, id);
  return [await crawls.jobs.get(id), items];
}

export const pathsOf = (items: readonly ReadItem[]): string[] => items.map(({ url }) => new URL(url).pathname + new URL(url).search).sort();

export const textOf = ({ body }: ReadItem): string | undefined => body && Buffer.from(body.bytes).toString();
