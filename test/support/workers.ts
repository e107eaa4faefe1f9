/** What tests of one proxy of several processes ask it and wait for. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as passed } from 'node:timers/promises';
import { RawClient } from './client.ts';
import { get } from './messages.ts';
import type { Program } from './program.ts';

export async function tempDir(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'warctap-workers-'));
  t.after(() => rm(dir, { recursive: true, force: true, maxRetries: 3 }));
  return dir;
}

export interface Status {
  readonly pid: number;
  readonly urls_processed: number;
  readonly threads: number;
  readonly queue_max_size: number;
  readonly warc_bytes_written: number;
  readonly postfetch_chain: readonly { readonly processor: string }[];
  readonly workers?: readonly {
    readonly worker: number;
    readonly pid: number;
    readonly urls_processed: number;
    readonly problem: string | null;
  }[];
}

/** A page of its own, over a connection of its own. */
export async function pageOf(port: number, path: string): Promise<string> {
  using client = await RawClient.connect(port);
  client.send(get(`http://127.0.0.1:${port}${path}`).replace(/^GET \S+/, `GET ${path}`));
  return (await client.response()).body.toString();
}

export async function statusOf(port: number): Promise<Status> {
  return JSON.parse(await pageOf(port, '/status')) as Status;
}

/** Over a connection of its own. */
export async function fetchBy(port: number, url: string, more = ''): Promise<{ status: number; head: string; body: Buffer }> {
  using client = await RawClient.connect(port);
  client.send(get(url, more));
  // Before it is disposed of.
  return await client.response();
}

/** Ask again until it is as it should be; the test's time-out ends it. */
export async function until<T>(look: () => Promise<T>, enough: (found: T) => boolean): Promise<T> {
  for (;;) {
    const found = await look();
    if (enough(found)) return found;
    await passed(20);
  }
}

export async function stopped({ child, ended, stderr }: Program): Promise<void> {
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null], stderr());
}
