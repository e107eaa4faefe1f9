/**
 * Files of a form, streamed to a folder. What is too large, or has a name that the service needs itself, is refused, and nothing of it stays.
 *
 * Source: RFC 7578 (multipart/form-data).
 */
import { createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { badArchive, Refusal } from './errors.ts';
import { safeFileName } from './file-name.ts';
import { tooLarge } from './intake.ts';
import { JOB_FILE } from './job-file.ts';
import { LOG_FILE } from './out-log.ts';

export interface UploadLimits {
  /** of one file */
  readonly maxFileBytes: number;
  /** of all files of a session */
  readonly maxTotalBytes: number;
  readonly maxFiles: number;
}

const FIELD = 'file';
/** Of one request; whoever has more sends more requests. */
const MAX_FILES_OF_REQUEST = 100;

/** @returns the names as they were sent. @throws Refusal, or the system's error */
export async function receiveFiles(request: Request, dir: string, limits: UploadLimits): Promise<string[]> {
  const type = request.headers.get('content-type') ?? '';
  if (request.body === null || !/^multipart\/form-data\b/i.test(type)) throw badArchive('Missing file');
  const there = await sizesIn(dir);
  let left = limits.maxTotalBytes - there.reduce((sum, size) => sum + size, 0);
  const mayCome = limits.maxFiles - there.length;
  const names: string[] = [];
  const writing: Promise<void>[] = [];
  let fault: Error | undefined;
  const parser = makeParser(type, limits.maxFileBytes);
  parser.on('file', (field: string, file: BusboyFileStream, name: string | undefined) => {
    if (field !== FIELD || name === undefined || fault !== undefined) return void file.resume();
    const safe = safeFileName(name);
    if (safe === JOB_FILE || safe === LOG_FILE) fault = badArchive(`a file cannot be called ${safe}`);
    if (names.length >= mayCome) fault = badArchive(`expected at most ${limits.maxFiles} files`);
    if (fault !== undefined) return void file.resume();
    names.push(name);
    const part = join(dir, `.part-${names.length}-${safe}`);
    const store = async () => {
      try {
        await pipeline(file, createWriteStream(part, { mode: 0o600 }));
        const { size } = await stat(part);
        if (file.truncated || size > left) throw tooLarge(file.truncated ? limits.maxFileBytes : limits.maxTotalBytes);
        left -= size;
        await rename(part, join(dir, safe));
      } finally {
        await rm(part, { force: true });
      }
    };
    writing.push(store().catch((error: unknown) => void (fault ??= error as Error)));
  });
  try {
    await pipeline(Readable.fromWeb(request.body), parser);
  } catch (error) {
    fault ??= request.signal.aborted ? (error as Error) : badArchive('expected a form with files, got one that is cut or damaged', error);
  }
  await Promise.all(writing);
  if (fault !== undefined) throw fault;
  if (names.length === 0) throw badArchive('Missing file');
  return names;
}

function makeParser(type: string, maxFileBytes: number): BusboyInstance {
  try {
    return new Busboy({
      headers: { 'content-type': type },
      // The name as it was sent; only ours is a name of a file.
      preservePath: true,
      limits: { fileSize: maxFileBytes, files: MAX_FILES_OF_REQUEST, fields: 100, fieldSize: 65_536, headerPairs: 100 },
    });
  } catch (error) {
    throw new Refusal(400, 'Missing file', error);
  }
}

async function sizesIn(dir: string): Promise<number[]> {
  return Promise.all((await readdir(dir)).map(async (name) => (await stat(join(dir, name)).catch(() => undefined))?.size ?? 0));
}
