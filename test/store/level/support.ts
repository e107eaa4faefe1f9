/** What the tests of stores share: databases in a temporary folder, and a second process to lock or kill. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import type { Published } from '../../../src/store/dedup.ts';
import { Databases, type Database } from '../../../src/store/level/database.ts';
import type { Change } from '../../../src/store/level/section.ts';

/** A folder below which nothing exists yet. */
export function tempDir(t: Pick<TestContext, 'after'>): string {
  const dir = mkdtempSync(join(tmpdir(), 'warctap-store-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Open a database for the length of one call. */
export async function withDatabase<T>(folder: string, use: (database: Database) => Promise<T>): Promise<T> {
  await using databases = new Databases();
  return await use(await databases.open(folder));
}

/** A database that is closed when the test ends. */
export async function openDatabase(t: TestContext): Promise<Database> {
  const databases = new Databases();
  t.after(() => databases.close());
  return databases.open(join(tempDir(t), 'db'));
}

/** A process of its own that opens `folder`, does `what`, says so, and then waits to be killed. */
export async function startChild(t: TestContext, folder: string, what: 'open' | 'dedup' | 'stats') {
  const file = join(import.meta.dirname, 'child.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', file, folder, what], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return {
    /** what it said when it was done */
    line,
    pid: child.pid,
    async kill(): Promise<void> {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** As a version wrote it that kept all of an entry under its key. */
export function ofOldVersion({ key, original: { recordId: id, ...rest }, place }: Published): Change {
  return { type: 'put', key, value: JSON.stringify({ id, ...rest, ...place }) };
}
