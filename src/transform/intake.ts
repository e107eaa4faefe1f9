/**
 * The way of an archive into the queue: to the disk while it is hashed, then the signature, then the archive itself, then its place.
 *
 * Nothing of it is held in memory, and nothing stays of what is refused.
 * Source: spec/circe.md §3.2, §8.
 */
import { readdir, rm, type FileHandle } from 'node:fs/promises';
import { codeOf } from '../util/thrown.ts';
import { turns } from '../util/turns.ts';
import type { SignatureCheck } from './access.ts';
import { checkArchive, type ArchiveLimits } from './archive.ts';
import { badArchive, Refusal } from './errors.ts';
import { newJobId, type Hex } from './job-id.ts';
import type { JobStore } from './job-store.ts';

export interface IntakeOptions {
  readonly store: JobStore;
  readonly limits: ArchiveLimits;
  /** of an archive, compressed */
  readonly maxBody: number;
}

export interface Submitted {
  readonly id: string;
  readonly hex: Hex;
}

/** Each takes a thread and a window of gzip. */
const CHECKS_AT_ONCE = 4;
/** More than these are not taken into the queue. */
const MAX_QUEUED = 10_000;

export class Intake {
  readonly #options: IntakeOptions;
  readonly #checks = turns(CHECKS_AT_ONCE);

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** @throws Refusal, or the system's error */
  async take(body: AsyncIterable<Uint8Array>, signature: SignatureCheck): Promise<Submitted> {
    const { store, maxBody } = this.#options;
    const job = newJobId();
    try {
      const { path, handle } = await store.createUpload(job.hex);
      try {
        await receive(body, handle, signature, maxBody);
        const application = signature.end();
        await handle.sync();
        await this.#submit(job, path, application);
      } finally {
        await handle.close();
        await rm(path, { force: true });
      }
      return job;
    } catch (error) {
      throw fullDisk(error) ?? error;
    }
  }

  /** An archive that was made here, which is moved away. @throws Refusal, or the system's error */
  async adopt(path: string): Promise<Submitted> {
    const job = newJobId();
    await this.#submit(job, path, undefined);
    return job;
  }

  async #submit({ id, hex }: Submitted, path: string, application: string | undefined): Promise<void> {
    const { store, limits } = this.#options;
    await this.#checks.run(() => checkArchive(path, limits));
    // An archive, a record, and a state.
    if ((await readdir(store.queueDir)).length > 3 * MAX_QUEUED) throw new Refusal(503, 'too many jobs wait, try again later');
    await store.submit(hex, path, { id, application });
  }
}

async function receive(body: AsyncIterable<Uint8Array>, handle: FileHandle, signature: SignatureCheck, maxBody: number): Promise<void> {
  let received = 0;
  let fault: Error | undefined;
  for await (const piece of body) {
    received += piece.length;
    if (received > maxBody) throw tooLarge(maxBody);
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    signature.update(bytes);
    try {
      for (let at = 0; at < bytes.length && fault === undefined;) at += (await handle.write(bytes, at)).bytesWritten;
    } catch (error) {
      // The rest is read all the same: many clients hear no answer before they have sent everything.
      fault = error as Error;
    }
  }
  if (fault !== undefined) throw fault;
  if (received === 0) {
    signature.end();
    throw badArchive('expected an archive, got an empty body');
  }
}

export function tooLarge(maxBody: number): Refusal {
  return new Refusal(413, `expected at most ${maxBody} bytes (CIRCE_MAX_BODY)`);
}

/** @returns undefined unless the disk has no room */
export function fullDisk(error: unknown): Refusal | undefined {
  const code = codeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT' ? new Refusal(507, 'the disk is full, nothing was queued', error) : undefined;
}
