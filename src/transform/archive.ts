/**
 * Job archives: checked as a whole before anything of them is used, and unpacked into a folder.
 *
 * Both walk in the same way; what passes the check is unpacked without leaving the folder: files first, links when nothing more is written.
 * Source: spec/circe.md §2.1, §8.
 */
import { createReadStream } from 'node:fs';
import { link, mkdir, open, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { makeFolders } from '../util/folder.ts';
import { codeOf, isSystemError } from '../util/thrown.ts';
import { badArchive } from './errors.ts';
import { JOB_FILE, MAX_JSON_BYTES, parseJobFile, type JobFile } from './job-file.ts';
import { readTar, type TarMember } from './tar-read.ts';
import { Tree } from './tree.ts';

export interface ArchiveLimits {
  /** of all files together, unpacked */
  readonly maxUnpacked: number;
  readonly maxMembers: number;
  /** where it is to be unpacked: a name must leave room for its path */
  readonly folder: string;
}

/** Headers, long names and padding of one member, at the most that is usual. */
const OVERHEAD_BYTES = 16_384;
/** PATH_MAX less one for the NUL, and what the name of a job's own folder takes. */
const MAX_PATH_BYTES = 4095 - 64;

/** @returns what its job.json says. @throws Refusal, or the system's error */
export async function checkArchive(file: string, limits: ArchiveLimits): Promise<JobFile> {
  return walk(file, limits, undefined);
}

/** @param into a folder that is there, and empty. @throws Refusal, or the system's error */
export async function unpackArchive(file: string, into: string, limits: ArchiveLimits, signal?: AbortSignal): Promise<JobFile> {
  return walk(file, limits, into, signal);
}

async function walk(file: string, limits: ArchiveLimits, into: string | undefined, signal?: AbortSignal): Promise<JobFile> {
  const { maxUnpacked, maxMembers, folder } = limits;
  const tree = new Tree({ maxMembers, raisedBy: 'CIRCE_MAX_MEMBERS', maxNameBytes: MAX_PATH_BYTES - Buffer.byteLength(folder) });
  const symlinks: { readonly path: string; readonly target: string }[] = [];
  let unpacked = 0;
  let job: JobFile | undefined;
  let empty = true;
  try {
    for await (const member of readTar(await openPieces(file, signal), maxUnpacked + maxMembers * OVERHEAD_BYTES)) {
      empty = false;
      unpacked += member.size;
      // By what is stated, before a byte of it is looked at.
      if (unpacked > maxUnpacked)
        throw badArchive(`the archive is too large: more than ${maxUnpacked} bytes unpacked (CIRCE_MAX_UNPACKED)`);
      const added = tree.add(member);
      if (added === undefined) continue;
      const content = added.path === JOB_FILE ? await jobBytes(member) : undefined;
      if (content !== undefined) job = parseJobFile(content);
      if (member.kind === 'symlink') symlinks.push({ path: added.path, target: member.target });
      if (into !== undefined) await place(member, join(into, added.path), join(into, added.from), added.replaces, content);
    }
  } catch (error) {
    throw asRefusal(error);
  }
  if (empty) throw badArchive('expected a tar archive with a job.json, got one without any file');
  tree.checkLinks();
  if (job === undefined) throw badArchive(`the archive has no ${JOB_FILE} at its root`);
  if (into !== undefined) {
    for (const { path, target } of symlinks) {
      await makeFolders(join(into, path, '..'), 0o700);
      await symlink(target, join(into, path));
    }
  }
  return job;
}

/** The bytes of a file that may be compressed. @throws Refusal, or the system's error */
export async function openPieces(file: string, signal?: AbortSignal): Promise<AsyncIterable<Buffer>> {
  const handle = await open(file, 'r');
  const start = Buffer.alloc(2);
  let read: number;
  try {
    ({ bytesRead: read } = await handle.read(start, 0, 2, 0));
  } finally {
    await handle.close();
  }
  if (read === 0) throw badArchive('the archive is empty');
  const bytes = createReadStream(file, signal === undefined ? {} : { signal });
  if (start.readUInt16BE() !== 0x1f8b) return bytes;
  const gunzip = createGunzip();
  // Whoever reads hears of what goes wrong, and what is not read to its end is closed.
  pipeline(bytes, gunzip, () => undefined);
  return gunzip;
}

async function jobBytes(member: TarMember): Promise<Buffer | undefined> {
  if (member.kind !== 'file') return undefined;
  if (member.size > MAX_JSON_BYTES) throw badArchive(`${JOB_FILE} has ${member.size} bytes, at most ${MAX_JSON_BYTES} are read`);
  const pieces: Buffer[] = [];
  for await (const piece of member.content()) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function place(member: TarMember, path: string, from: string, replaces: boolean, content: Buffer | undefined): Promise<void> {
  const { kind, mode, mtime } = member;
  if (kind === 'symlink') return;
  if (kind === 'folder') {
    await makeFolders(path, 0o700);
    return;
  }
  await makeFolders(join(path, '..'), 0o700);
  if (kind === 'link') return link(from, path);
  if (replaces) await rm(path);
  // Set-id bits are dropped, and the owner can read and write.
  const handle = await open(path, 'wx', (mode & 0o777) | 0o600);
  try {
    if (content === undefined) for await (const piece of member.content()) await handle.writeFile(piece);
    else await handle.writeFile(content);
    await handle.utimes(mtime, mtime);
  } finally {
    await handle.close();
  }
}

/** What zlib says of bad bytes is for the client, what the system says is not. */
function asRefusal(error: unknown): unknown {
  if (isSystemError(error)) return error;
  const code = codeOf(error);
  if (code === 'Z_BUF_ERROR') return badArchive('the archive is cut: its compressed bytes end too early', error);
  if (code?.startsWith('Z_') === true) return badArchive('the archive is damaged: its compressed bytes are no gzip', error);
  return error;
}

/** A folder of its own, which nobody else may look into. */
export async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 });
}
