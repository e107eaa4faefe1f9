/** A crawl server in this process, in a folder of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Jobs } from '../../../src/crawl/jobs/types.ts';
import { resolve } from '../../../src/options/resolve.ts';
import type { Options } from '../../../src/options/row.ts';
import { CRAWL_ROWS } from '../../../src/options/rows/crawl.ts';
import { CORE_OPTIONS } from '../../../src/options/table.ts';
import { startCrawl, type CrawlProgram } from '../../../src/programs/crawl.ts';
import { silentLog, type Log } from '../../../src/util/log.ts';
import { ApiClient } from './client.ts';
import { MemoryJobs } from './memory-jobs.ts';

const SETTINGS = { ...CRAWL_ROWS, ...CORE_OPTIONS };

export interface TestServer {
  readonly program: CrawlProgram;
  readonly client: () => Promise<ApiClient>;
}

export interface ServerOptions {
  readonly folder?: string;
  readonly given?: Options<typeof SETTINGS>;
  readonly log?: Log;
}

export function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'warctap-crawl-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Closed with the test. @param jobs that fetch nothing by default; `real` for those that do */
export async function crawlServer(
  t: TestContext,
  jobs: Jobs | 'real' = new MemoryJobs(),
  options: ServerOptions = {},
): Promise<TestServer> {
  const { folder = newFolder(t), given = {}, log = silentLog } = options;
  const own = {
    port: 0,
    db: join(folder, 'db'),
    dir: join(folder, 'warcs'),
    statsDbFile: join(folder, 'stats'),
    dedupDbFile: join(folder, 'stats'),
  };
  const program = await startCrawl({
    options: resolve(SETTINGS, { ...own, ...given }),
    adminPassword: 'a password',
    ...(jobs === 'real' ? {} : { openJobs: () => Promise.resolve(jobs) }),
    log,
  });
  const clients: ApiClient[] = [];
  t.after(async () => {
    for (const client of clients) await client.close();
    await program.close();
  });
  const client = async () => {
    const opened = await ApiClient.open(program.url);
    clients.push(opened);
    return opened;
  };
  return { program, client };
}
