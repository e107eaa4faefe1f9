/**
 * A job as a client puts it together, and its result.
 *
 * Source: spec/circe.md §11.
 */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeFolders } from '../util/folder.ts';
import { openPieces } from './archive.ts';
import { JOB_FILE, jobFileText, type Step } from './job-file.ts';
import { LOG_FILE } from './out-log.ts';
import { packInto, type Packed } from './pack.ts';
import { readTar, type TarMember } from './tar-read.ts';
import { Tree } from './tree.ts';

export class Job {
  /** undefined until it was sent without waiting */
  uuid: string | undefined;
  readonly #files: { readonly path: string; readonly name: string }[] = [];
  readonly #transformations: Step[] = [];
  #notifyHook: string | undefined;
  #resultFile: string | undefined;
  #folder: string | undefined;

  /** @param localName in the archive; the name of the file unless given */
  addFile(path: string, localName = basename(path)): this {
    this.#files.push({ path, name: localName });
    return this;
  }

  addTransformation(name: string, options: Readonly<Record<string, unknown>> = {}): this {
    this.#transformations.push({ name, options });
    return this;
  }

  setNotifyHook(url: string): this {
    this.#notifyHook = url;
    return this;
  }

  /** @returns the path of a gzipped tar with `job.json` first. @throws the system's error */
  async makeArchive(): Promise<string> {
    const path = await this.temporary('job.tar.gz');
    await rm(path, { force: true });
    const job = jobFileText({ transformations: this.#transformations, notifyHook: this.#notifyHook });
    const files = this.#files.map(({ name, path: file }): Packed => ({ name, kind: 'file', path: file }));
    await packInto(path, [{ name: JOB_FILE, kind: 'bytes', bytes: Buffer.from(job) }, ...files]);
    return path;
  }

  /** undefined until the result was fetched */
  get result(): JobResult | undefined {
    return this.#resultFile === undefined ? undefined : new JobResult(this.#resultFile);
  }

  /** Whoever has fetched the result says where it is. */
  setResult(file: string): void {
    this.#resultFile = file;
  }

  /** A path of our own, which goes with `dispose`. */
  async temporary(name: string): Promise<string> {
    this.#folder ??= await mkdtemp(join(tmpdir(), 'warctap-job-'));
    return join(this.#folder, name);
  }

  /** Remove temporary files: the archive, and a result for which no file was named. */
  async dispose(): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/** A name, and the bytes, which are to be read before the next one is asked for. */
export type ResultFile = readonly [name: string, stream: Readable];

/** More than any result of ours has. */
const MAX_RESULT_MEMBERS = 1_000_000;

export class JobResult {
  /** a gzipped tar */
  readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  /** All files, `job.json` and `out.log` included. */
  get files(): AsyncGenerator<ResultFile, void, undefined> {
    return filesOf(this.file, () => true);
  }

  /** All files but `job.json` and `out.log`. */
  get documents(): AsyncGenerator<ResultFile, void, undefined> {
    return filesOf(this.file, (name) => name !== JOB_FILE && name !== LOG_FILE);
  }

  /** The lines of the log, parsed. */
  get log(): AsyncGenerator<Readonly<Record<string, unknown>>, void, undefined> {
    return logOf(this.file);
  }

  /** Write the documents into a folder, and nowhere else. @returns their names. @throws Refusal for an archive that would */
  async extract(dir: string): Promise<string[]> {
    const tree = new Tree({ maxMembers: MAX_RESULT_MEMBERS, maxNameBytes: 4095 - Buffer.byteLength(dir) });
    const names: string[] = [];
    for await (const member of membersOf(this.file)) {
      const path = tree.add(member)?.path;
      if (path === undefined || member.kind !== 'file' || path === JOB_FILE || path === LOG_FILE) continue;
      const target = join(dir, path);
      await makeFolders(join(target, '..'));
      await pipeline(member.content, createWriteStream(target));
      names.push(path);
    }
    return names;
  }
}

async function* membersOf(file: string): AsyncGenerator<TarMember, void, undefined> {
  if (!(await stat(file)).isFile()) throw new Error(`${file} is no file`);
  yield* readTar(await openPieces(file), Infinity);
}

async function* filesOf(file: string, wanted: (name: string) => boolean): AsyncGenerator<ResultFile, void, undefined> {
  for await (const { name, kind, content } of membersOf(file)) {
    if (kind === 'file' && wanted(name)) yield [name, Readable.from(content())];
  }
}

async function* logOf(file: string): AsyncGenerator<Readonly<Record<string, unknown>>, void, undefined> {
  for await (const [name, stream] of filesOf(file, (each) => each === LOG_FILE)) {
    if (name !== LOG_FILE) continue;
    let rest = '';
    for await (const piece of stream.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = (rest + piece).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') yield JSON.parse(line) as Record<string, unknown>;
    }
  }
}
