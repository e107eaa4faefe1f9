/**
 * What is over goes: results whose time has passed, and what processes have left that were killed.
 *
 * Several processes may do so at once; what somebody still uses is locked.
 */
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mtimeOf, UPLOAD, type JobStore } from './job-store.ts';
import type { Hex } from './job-id.ts';
import { timeOfDayMs } from '../util/time-of-day.ts';

const MIN_SWEEP_MS = 500;
const MAX_SWEEP_MS = 60_000;

/** How often to look for what is to go after so many seconds: soon enough, and not all the time. */
export function sweepEveryMs(...seconds: readonly number[]): number {
  return Math.max(MIN_SWEEP_MS, Math.min(MAX_SWEEP_MS, ...seconds.map((each) => each * 250)));
}

/** What has no archive after so long never gets one. */
const ORPHAN_MS = 60_000;

/** Old results, uploads of killed servers, records without their archive. @throws the system's error */
export async function cleanUp(store: JobStore, ttlSeconds: number): Promise<void> {
  const before = timeOfDayMs() - ttlSeconds * 1000;
  for (const name of await readdir(store.doneDir)) {
    const path = join(store.doneDir, name);
    if (((await mtimeOf(path)) ?? Infinity) >= before) continue;
    const hex = /[0-9a-f]{32}/.exec(name)?.[0];
    // Without its result a job whose notification is still to come would run again.
    if (hex === undefined || (await mtimeOf(store.queued(hex))) === undefined) await rm(path, { force: true });
  }
  for (const name of await readdir(store.queueDir)) {
    const path = join(store.queueDir, name);
    if (name.startsWith(UPLOAD)) await removeIfFree(store, path);
    else if (/\.(json|state|tmp)$/.test(name)) {
      const hex = /[0-9a-f]{32}/.exec(name)?.[0];
      // The process ended between the record and the archive, or with the job between the archive and the record.
      const over = ((await mtimeOf(path)) ?? Infinity) < timeOfDayMs() - ORPHAN_MS || (hex !== undefined && (await store.isDone(hex)));
      if (over && (hex === undefined || (await mtimeOf(store.queued(hex))) === undefined)) await rm(path, { force: true });
    }
  }
}

/** Folders that jobs ran in whose process is gone. @throws the system's error */
export async function cleanUpFolders(store: JobStore): Promise<void> {
  for (const name of await readdir(store.tempDir)) {
    const hex = /^([0-9a-f]{32})-/.exec(name)?.[1];
    if (hex === undefined) continue;
    const claim = await store.claim(hex);
    const runs = claim === undefined && (await mtimeOf(store.queued(hex))) !== undefined;
    if (!runs) await removeFolder(join(store.tempDir, name));
    await claim?.release();
  }
}

/** Those of one job, whose lock is ours. */
export async function removeFoldersOf(store: JobStore, hex: Hex): Promise<void> {
  for (const name of await readdir(store.tempDir)) if (name.startsWith(`${hex}-`)) await removeFolder(join(store.tempDir, name));
}

export async function removeFolder(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
}

async function removeIfFree(store: JobStore, path: string): Promise<void> {
  const handle = await open(path, 'r+').catch(() => undefined);
  if (handle === undefined) return;
  try {
    if (store.lock(handle.fd)) await rm(path, { force: true });
  } finally {
    await handle.close();
  }
}
