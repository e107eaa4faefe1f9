/**
 * Whether what stands in the WARC files of a run is what was seen from outside.
 *
 * What must hold: each WARC verifies and no revisit dangles; every exchange that was answered a while before its worker was killed is there;
 * connections of other workers are not cut; of each payload there is one response, but for those that a kill of a primary process took out of
 * its memory, or that were fetched while the shared store was away; a limit lets pass what it says.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ownText } from '../../../src/util/own-text.ts';
import { readWarc } from '../../../src/warc/read/reader.ts';
import { verifyFiles } from '../../../src/warc/tools/verify.ts';
import type { Kill, Line, Seen } from './seen.ts';

export interface Judged {
  readonly faults: readonly string[];
  readonly kills: Readonly<Record<Kill['what'], number>>;
  readonly answers: number;
  readonly files: number;
  readonly records: number;
  readonly responses: number;
  readonly revisits: number;
  /** payloads with a second response that nothing explains */
  readonly doubled: number;
  /** those where a primary process was killed, or the store was away, about when the second was written */
  readonly doubledOverKill: number;
  /** connections that were cut */
  readonly cut: number;
  /** exchanges that were answered just before their worker was killed, and are not there */
  readonly missing: number;
  /** of them the one that was answered longest before, in ms */
  readonly oldestMissingMs: number;
  /** as the machines said themselves, in ms */
  readonly mostBehindMs: number;
  readonly limitRows: number;
  readonly lagMs: number;
}

export interface Folder {
  readonly machine: number;
  readonly warcs: string;
}

/** A connection that is cut by a kill notices that within this time, and as much longer as the clients were kept from looking. */
const NOTICED_MS = 10_000;
/** A claim of a machine that is gone lapses after this long, and what waits for an absent store is told so. */
const LAPSES_MS = 8000;
const MAX_FAULTS = 30;

interface Found {
  readonly files: readonly string[];
  /** who has written each, as `MACHINE/WORKER` */
  readonly writers: ReadonlyMap<string, string>;
  /** times of the responses of each payload */
  readonly payloads: ReadonlyMap<string, readonly number[]>;
  readonly records: number;
  readonly responses: number;
  readonly revisits: number;
}

/** @param settledMs an exchange that was answered so long before its worker is killed is in the archive */
export async function judge(folders: readonly Folder[], settledMs: number, seen: Seen): Promise<Judged> {
  const faults = [...seen.faults];
  const { files, writers, payloads, ...counts } = await readAll(folders, faults);
  const doubles = doublesOf(payloads, seen.kills);
  if (doubles.doubled > 0) faults.push(`${doubles.doubled} payloads were written twice`);
  for (const { limit, passed } of seen.limits) if (passed !== limit) faults.push(`a limit of ${limit} let ${passed} pass`);
  const lines = judgeLines(seen, writers, settledMs, faults);
  const kills = { worker: 0, primary: 0, store: 0 };
  for (const { what } of seen.kills) kills[what]++;
  const told = faults.length > MAX_FAULTS ? [...faults.slice(0, MAX_FAULTS), `and ${faults.length - MAX_FAULTS} more`] : faults;
  const [limitRows, mostBehindMs] = [seen.limits.length, Math.max(0, ...seen.kills.map(({ behindMs }) => behindMs))];
  return {
    faults: told,
    kills,
    answers: seen.answered.size,
    files: files.length,
    ...counts,
    ...doubles,
    ...lines,
    mostBehindMs,
    limitRows,
    lagMs: seen.lagMs,
  };
}

export async function filesOf(folders: readonly Folder[]): Promise<readonly string[]> {
  const all = await Promise.all(folders.map(async ({ warcs }) => (await readdir(warcs)).sort().map((name) => join(warcs, name))));
  return all.flat();
}

async function readAll(folders: readonly Folder[], faults: string[]): Promise<Found> {
  const files = await filesOf(folders);
  faults.push(...files.filter((file) => file.endsWith('.open')).map((file) => `${file} was left open`));
  await verifyFiles(files, { allowUnresolved: false, onFault: ({ file, offset, problem }) => faults.push(`${file} ${offset} ${problem}`) });
  const writers = new Map<string, string>();
  const payloads = new Map<string, number[]>();
  const counts = { records: 0, responses: 0, revisits: 0 };
  for (const { machine, warcs } of folders) {
    for (const file of files.filter((file) => file.startsWith(join(warcs, '/')))) {
      const writer = `${machine}/${/-w(\d)[a-z0-9]{6}\.warc/.exec(file)?.[1] ?? '?'}`;
      for await (const record of readWarc(file)) {
        counts.records++;
        if (record.type !== 'response' && record.type !== 'revisit') continue;
        writers.set(ownText(record.header('WARC-Target-URI') ?? ''), writer);
        if (record.type === 'revisit') counts.revisits++;
        else {
          counts.responses++;
          const digest = ownText(record.header('WARC-Payload-Digest') ?? '');
          payloads.set(digest, [...(payloads.get(digest) ?? []), Date.parse(record.header('WARC-Date') ?? '')]);
        }
      }
    }
  }
  return { files, writers, payloads, ...counts };
}

/** All that ask for a payload do so within a second or two, so that a kill explains the second response only where it is near. */
function doublesOf(payloads: Found['payloads'], kills: readonly Kill[]) {
  const explaining = kills.filter(({ what }) => what !== 'worker');
  let doubled = 0;
  let doubledOverKill = 0;
  for (const times of payloads.values()) {
    if (times.length === 1) continue;
    const [first, last] = [Math.min(...times), Math.max(...times)];
    // Both were fetched before the record has its time, so either side of the kill will do.
    const explained = explaining.some(({ wallMs, backWallMs = wallMs }) => first < backWallMs + LAPSES_MS && last > wallMs - LAPSES_MS);
    if (explained) doubledOverKill++;
    else doubled++;
  }
  return { doubled, doubledOverKill };
}

function judgeLines({ kills, lines, answered, lagMs }: Seen, writers: Found['writers'], settledMs: number, faults: string[]) {
  let cut = 0;
  let missing = 0;
  let oldestMissingMs = 0;
  for (const line of lines) {
    const { machine, urls, endedMs, left } = line;
    const by = new Set(urls.flatMap((url) => writers.get(url) ?? []));
    if (by.size > 1) faults.push(`a connection was served by workers ${[...by].join()}`);
    const [writer] = by;
    const itsKills = kills.filter(
      (kill) =>
        kill.machine === machine && (kill.what === 'primary' || writer === undefined || writer === `${kill.machine}/${kill.worker}`),
    );
    const itsEnd = endOf(line, itsKills);
    for (const url of urls) {
      const atMs = answered.get(url);
      if (atMs === undefined || writers.has(url)) continue;
      missing++;
      if (itsEnd === undefined) {
        faults.push(`${url} is missing, its worker ${writer ?? '?'} was not killed`);
        continue;
      }
      // What a machine that does much else has not come to is lost later: by as much as it said itself that it was behind.
      const beforeMs = Math.round(itsEnd.atMs - atMs);
      oldestMissingMs = Math.max(oldestMissingMs, beforeMs);
      if (beforeMs < settledMs + itsEnd.behindMs) continue;
      faults.push(`${url} is missing, its worker ${writer ?? '?'} was killed ${beforeMs} ms later, ${itsEnd.behindMs} ms behind`);
    }
    if (endedMs === undefined || urls.length === 0) continue;
    cut++;
    const isWhy = ({ atMs, backMs = 0 }: Kill) => atMs <= endedMs && endedMs < Math.max(atMs + NOTICED_MS, backMs) + lagMs;
    if (left === true) faults.push(`${urls.at(-1)} was never answered, by worker ${writer ?? '?'}`);
    else if (!itsKills.some(isWhy)) faults.push(`a connection of worker ${writer ?? '?'} was cut, and that was not killed`);
  }
  return { cut, missing, oldestMissingMs };
}

/**
 * The kill that a connection has ended by. What was answered before it may be read after it, and after the next one, too, and the workers of a
 * primary process go on for a moment; but no request was sent after it that was answered.
 */
function endOf({ sentMs, endedMs = Infinity }: Line, kills: readonly Kill[]): Kill | undefined {
  return kills.find(({ atMs, backMs = atMs }) => backMs >= sentMs && atMs <= endedMs);
}
