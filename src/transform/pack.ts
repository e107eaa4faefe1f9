/**
 * Packs a folder, or files from anywhere, as a gzipped tar. Nothing is held in memory but the piece on its way.
 *
 * Names are relative and without `./`; folders are members, the root is not; links that stay inside are kept as links. What cannot be packed
 * (links that leave the folder, FIFOs, names that are not UTF-8) is told first, so that it can still be logged.
 * Source: spec/circe.md §2.3.
 */
import { constants } from 'node:fs';
import { lstat, open, readdir, readlink, realpath, type FileHandle } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createWriteStream } from 'node:fs';
import { createGzip } from 'node:zlib';
import type { Pack } from 'tar-stream';

/** What goes into an archive. */
export type Packed =
  | { readonly name: string; readonly kind: 'file'; readonly path: string }
  | { readonly name: string; readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly name: string; readonly kind: 'folder' }
  | { readonly name: string; readonly kind: 'symlink'; readonly target: string };

export interface Contents {
  readonly members: readonly Packed[];
  /** a line for each that is left out */
  readonly omitted: readonly string[];
}

/** @param maxMembers more than these are left out. @throws the system's error */
export async function contentsOf(root: string, maxMembers: number): Promise<Contents> {
  const members: Packed[] = [];
  const omitted: string[] = [];
  const real = await realpath(root);
  const visit = async (folder: string): Promise<void> => {
    const entries = await readdir(join(root, folder), { withFileTypes: true, encoding: 'buffer' });
    const names = entries.map((entry) => ({ entry, text: entry.name.toString() }));
    for (const { entry, text } of names.sort((a, b) => (a.text < b.text ? -1 : 1))) {
      const name = folder === '' ? text : `${folder}/${text}`;
      if (members.length >= maxMembers) {
        omitted.push(`${name} and what comes after it is left out: more than ${maxMembers} members`);
        return;
      }
      if (!Buffer.from(text).equals(entry.name)) omitted.push(`${name} is left out: its name is not in UTF-8`);
      else if (entry.isDirectory()) {
        members.push({ name, kind: 'folder' });
        await visit(name);
      } else if (entry.isFile()) members.push({ name, kind: 'file', path: join(root, name) });
      else if (entry.isSymbolicLink() && (await leadsInside(real, join(root, name)))) {
        members.push({ name, kind: 'symlink', target: await readlink(join(root, name)) });
      } else
        omitted.push(
          `${name} is left out: ${entry.isSymbolicLink() ? 'it is a link that leaves the folder' : 'it is neither file nor folder'}`,
        );
    }
  };
  await visit('');
  return { members, omitted };
}

/** A link to something that is not there leads nowhere, and who unpacks it could make something there: it is not kept either. */
async function leadsInside(root: string, path: string): Promise<boolean> {
  try {
    if ((await readlink(path)).startsWith('/')) return false;
    const target = await realpath(path);
    return target === root || target.startsWith(root + sep);
  } catch {
    return false;
  }
}

/** @param file is created, mode 0600. @throws the system's error, and ABORT_ERR */
export async function packInto(file: string, members: Iterable<Packed>, signal?: AbortSignal): Promise<void> {
  const { pack } = await import('tar-stream');
  const tar = pack();
  const filling = fill(tar, members).then(
    () => tar.finalize(),
    (error: unknown) => tar.destroy(error as Error),
  );
  const output = createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true });
  await pipeline(tar as unknown as Readable, createGzip(), output, { ...(signal === undefined ? {} : { signal }) });
  await filling;
}

async function fill(tar: Pack, members: Iterable<Packed>): Promise<void> {
  for (const member of members) {
    if (member.kind === 'folder') await entry(tar, { name: `${member.name}/`, type: 'directory', mode: 0o700 });
    else if (member.kind === 'symlink') await entry(tar, { name: member.name, type: 'symlink', linkname: member.target, mode: 0o777 });
    else if (member.kind === 'bytes') await entry(tar, { name: member.name, mode: 0o600 }, member.bytes);
    else await packFile(tar, member.name, member.path);
  }
}

function entry(tar: Pack, header: Parameters<Pack['entry']>[0], bytes?: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null) => (error ? reject(error) : resolve());
    // Told by the callback; without a listener it would end the process.
    (bytes === undefined ? tar.entry(header, done) : tar.entry(header, bytes, done)).on('error', done);
  });
}

async function packFile(tar: Pack, name: string, path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size, mode, mtime } = await handle.stat();
    await new Promise<void>((resolve, reject) => {
      const sink = tar.entry({ name, size, mode: mode & 0o777, mtime }, (error) => (error ? reject(error) : resolve()));
      sink.on('error', reject);
      copy(handle, size, sink).catch((error: unknown) => sink.destroy(error as Error));
    });
  } finally {
    await handle.close();
  }
}

const PIECE_BYTES = 65_536;

/** Exactly as many bytes as were announced. */
async function copy(handle: FileHandle, size: number, sink: NodeJS.WritableStream): Promise<void> {
  for (let at = 0; at < size;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(Math.min(PIECE_BYTES, size - at)), 0, null, at);
    if (bytesRead === 0) throw new Error(`a file became shorter while it was packed, at byte ${at} of ${size}`);
    at += bytesRead;
    if (!sink.write(buffer.subarray(0, bytesRead))) await new Promise<void>((resume) => sink.once('drain', resume));
  }
  sink.end();
}

/** Bytes that the files of a folder take, its own included; what goes away meanwhile counts for nothing. */
export async function sizeOfFolder(dir: string): Promise<number> {
  let total = 0;
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  for (const each of entries) {
    const path = join(dir, each.name);
    if (each.isDirectory()) total += await sizeOfFolder(path);
    else total += (await lstat(path).catch(() => undefined))?.size ?? 0;
  }
  return total;
}
