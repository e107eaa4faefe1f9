/**
 * One job, from its archive to its result: unpack, transform in a process of its own, pack, tell.
 *
 * Whatever goes wrong in a job ends as a result that says so in its log: a job always ends. Only a disk that takes no result at all, and a
 * wish to stop, leave it in the queue.
 * Source: spec/circe.md §4.
 */
import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../util/log.ts';
import { reasonOf } from '../util/thrown.ts';
import { checkArchive, makePrivateFolder, unpackArchive, type ArchiveLimits } from './archive.ts';
import { removeFolder, removeFoldersOf } from './clean-up.ts';
import { callHook } from './hook.ts';
import { JOB_FILE, type JobFile } from './job-file.ts';
import type { JobAnswer, JobTask } from './job-process.ts';
import type { Claim, DoneRecord, JobStore, StateRecord } from './job-store.ts';
import { LOG_FILE, OutLog } from './out-log.ts';
import { runOwnProcess } from './own-process.ts';
import { contentsOf, packInto, type Packed } from './pack.ts';
import { watchFolder } from './watch-folder.ts';
import { timeOfDay } from '../util/time-of-day.ts';

export interface JobSettings {
  readonly limits: ArchiveLimits;
  readonly timeoutSeconds: number;
  readonly modules: readonly string[];
  readonly cwd: string;
  /** of the process that it runs in */
  readonly env: NodeJS.ProcessEnv;
  readonly hookHosts: readonly string[] | undefined;
}

/** A job of which so many starts ended with the worker is not begun again. */
export const MAX_STARTS = 3;
/** A folder may grow to so many times what an archive may unpack to. */
const GROWTH = 4;

/**
 * @param stop the worker is to end: the job goes back to the queue as if it had not been begun
 * @returns whether the job has ended
 * @throws the system's error, when the disk takes no result; the job is still in the queue
 */
export async function runJob(store: JobStore, claim: Claim, settings: JobSettings, stop: AbortSignal, log: Log): Promise<boolean> {
  const { hex, record } = claim;
  await removeFoldersOf(store, hex);
  await rm(store.unready(hex), { force: true });
  let hook: string | undefined;
  // A worker may have been killed between result and notification.
  if (await store.isDone(hex)) {
    hook = await hookOf(claim.archive, settings.limits);
  } else {
    const dir = join(store.tempDir, `${hex}-${randomUUID().slice(0, 8)}`);
    await makePrivateFolder(dir);
    try {
      await store.writeRecord(hex, { ...record, starts: record.starts + 1 });
      const { status, hook: wanted } = await work(store, claim, dir, settings, stop);
      hook = wanted;
      await publish(store, claim, dir, status, settings.limits.maxMembers, stop);
      log.info({ job: record.id, status }, 'job ended');
    } catch (error) {
      if (!stop.aborted) throw error;
      await store.writeRecord(hex, record);
      await rm(store.stateFile(hex), { force: true });
      return false;
    } finally {
      await removeFolder(dir).catch((error: unknown) => log.warn({ err: error }, `the folder of a job stays: ${reasonOf(error)}`));
    }
  }
  if (hook !== undefined && record.told === undefined) await notify(store, claim, hook, settings.hookHosts, log);
  await store.forget(hex);
  return true;
}

/** That it has been sent is written down before the answer is waited for: a worker that is killed meanwhile does not have it sent again. */
async function notify(store: JobStore, { hex, record }: Claim, url: string, hosts: readonly string[] | undefined, log: Log): Promise<void> {
  let written: Promise<void> | undefined;
  const sent = () => {
    written = store.writeRecord(hex, { ...record, told: true }).catch((error: unknown) => {
      log.warn({ err: error, job: record.id }, `a notification may be sent again: ${reasonOf(error)}`);
    });
  };
  log.debug({ job: record.id, said: await callHook(url, record.id, hosts, sent) }, 'notified');
  await written;
}

interface Ended {
  readonly status: DoneRecord['status'];
  readonly hook: string | undefined;
}

/** @throws when it was stopped */
async function work(
  store: JobStore,
  { hex, record, archive }: Claim,
  dir: string,
  settings: JobSettings,
  stop: AbortSignal,
): Promise<Ended> {
  const started = timeOfDay().toISOString();
  const stateFile = store.stateFile(hex);
  await writeFile(stateFile, JSON.stringify({ transformation: undefined, started, lines: 0 } satisfies StateRecord), { mode: 0o600 });
  const fail = async (message: string, hook?: string): Promise<Ended> => {
    logInto(dir, hex, message);
    return { status: 'failed', hook: hook ?? (await hookOf(archive, settings.limits)) };
  };
  let job: JobFile;
  try {
    job = await unpackArchive(archive, dir, settings.limits, stop);
    await rm(join(dir, LOG_FILE), { recursive: true, force: true });
    await writeFile(join(dir, LOG_FILE), '', { mode: 0o600 });
  } catch (error) {
    stop.throwIfAborted();
    return fail(`The archive cannot be unpacked: ${reasonOf(error)}`);
  }
  if (record.starts >= MAX_STARTS) return fail(`The job was begun ${MAX_STARTS} times, and came to its end in none`, job.notifyHook);
  const task: JobTask = {
    hex,
    dir,
    transformations: job.transformations,
    modules: settings.modules,
    cwd: settings.cwd,
    stateFile,
    started,
  };
  const { timeoutSeconds, limits, cwd, env } = settings;
  const ending = new AbortController();
  let reason: string | undefined;
  const end = (why: string) => {
    reason ??= why;
    ending.abort();
  };
  const timer = setTimeout(() => end(`it took longer than ${timeoutSeconds} s (CIRCE_JOB_TIMEOUT)`), timeoutSeconds * 1000);
  const watch = watchFolder(dir, GROWTH * limits.maxUnpacked, (bytes) =>
    end(`its folder has grown to ${bytes} bytes, at most ${GROWTH} times CIRCE_MAX_UNPACKED are kept`),
  );
  const stopped = () => end('it was stopped');
  stop.addEventListener('abort', stopped, { once: true });
  if (stop.aborted) stopped();
  try {
    const outcome = await runOwnProcess<JobAnswer>({ script: 'job-process', task, cwd, env, signal: ending.signal });
    if ('answer' in outcome) return { status: outcome.answer.failed === undefined ? 'done' : 'failed', hook: job.notifyHook };
    stop.throwIfAborted();
    const name = (await store.state(hex))?.transformation;
    const why = reason ?? outcome.died;
    return await fail(name === undefined ? `The transformations failed: ${why}` : `Transformation ${name} failed: ${why}`, job.notifyHook);
  } finally {
    clearTimeout(timer);
    watch.close();
    stop.removeEventListener('abort', stopped);
  }
}

/** Of an archive that was not unpacked this time. */
async function hookOf(archive: string, limits: ArchiveLimits): Promise<string | undefined> {
  return (await checkArchive(archive, limits).catch(() => undefined))?.notifyHook;
}

/** Where not even a line can be written the result says so by its status alone. */
function logInto(dir: string, hex: string, message: string): void {
  const log = new OutLog(dir, hex);
  try {
    log.own('ERROR', message);
  } catch {
    // told below, when the result is packed
  } finally {
    log.close();
  }
}

/** The folder as it is; or, where it cannot be packed, job.json and a log that says why. */
async function publish(
  store: JobStore,
  claim: Claim,
  dir: string,
  status: DoneRecord['status'],
  maxMembers: number,
  stop: AbortSignal,
): Promise<void> {
  const { hex, record } = claim;
  const packed = store.unready(hex);
  const { application } = record;
  const last = await store.state(hex);
  try {
    const { omitted } = await contentsOf(dir, maxMembers);
    const log = new OutLog(dir, hex);
    for (const line of omitted) log.own('WARNING', line);
    log.close();
    await packInto(packed, (await contentsOf(dir, maxMembers)).members, stop);
    await store.publish(hex, packed, { application, status, last });
  } catch (error) {
    await rm(packed, { force: true });
    stop.throwIfAborted();
    const members = await remains(dir, hex, reasonOf(error));
    await removeFolder(dir);
    await packInto(packed, members);
    await store.publish(hex, packed, { application, status: 'failed', last });
  }
}

/** So much of a log is kept when there is no room for more. */
const KEPT_LOG_BYTES = 65_536;

async function remains(dir: string, hex: string, why: string): Promise<Packed[]> {
  const [job, log] = await Promise.all([JOB_FILE, LOG_FILE].map((name) => readFile(join(dir, name)).catch(() => Buffer.alloc(0))));
  const kept = log?.subarray(0, KEPT_LOG_BYTES) ?? Buffer.alloc(0);
  const whole = kept.subarray(0, kept.lastIndexOf('\n') + 1);
  const line = OutLog.line(hex, 'ERROR', `The result cannot be packed: ${why}`);
  return [
    { name: JOB_FILE, kind: 'bytes', bytes: job?.subarray(0, 1024 * 1024) ?? Buffer.alloc(0) },
    { name: LOG_FILE, kind: 'bytes', bytes: Buffer.concat([whole, Buffer.from(line)]) },
  ];
}
