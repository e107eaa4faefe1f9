/**
 * What a program has archived, as one WACZ: the WARC files of a folder, which may go then.
 */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { reasonOf } from '../util/thrown.ts';
import { readVersion } from '../util/version.ts';
import { writeWacz, type KnownPages } from '../warc/tools/wacz.ts';
import { NewFile } from '../warc/write/new-file.ts';

export interface PackParts {
  readonly output: string;
  readonly force: boolean;
  readonly title: string | undefined;
  readonly description: string | undefined;
  /** the list of pages has their text */
  readonly text: boolean;
  readonly known?: KnownPages | undefined;
  /** bytes of the WARC files that were read, of all */
  readonly onProgress?: (bytes: number, of: number) => void;
}

/** A folder beside the WACZ, in which everything is until that is whole. */
export class PackFolder {
  readonly dir: string;
  readonly warcs: string;
  readonly #parts: PackParts;

  private constructor(dir: string, parts: PackParts) {
    this.dir = dir;
    this.warcs = join(dir, 'warcs');
    this.#parts = parts;
  }

  /** the WACZ */
  get output(): string {
    return this.#parts.output;
  }

  /** @throws WarcOptionError when the WACZ is there already, or the system's error when it cannot be made there */
  static async open(parts: PackParts): Promise<PackFolder> {
    await (await NewFile.create(parts.output, parts)).discard();
    const dir = await mkdtemp(join(resolve(dirname(parts.output)), `${basename(parts.output)}.`));
    return new PackFolder(dir, parts);
  }

  /**
   * Make the WACZ of what is in the folder, which goes.
   *
   * @param what of it is only known in the end
   * @returns bytes of the WACZ
   * @throws an error of one line when it cannot be made: the folder stays then, and the message says so
   */
  async pack(what: Partial<Pick<PackParts, 'title' | 'known' | 'onProgress'>> = {}): Promise<number> {
    const parts = { ...this.#parts, ...what };
    try {
      const size = await this.#write(parts);
      await this.remove();
      return size;
    } catch (error) {
      throw new Error(`${reasonOf(error)}; what was archived stays in ${this.warcs}`, { cause: error });
    }
  }

  remove(): Promise<void> {
    return rm(this.dir, { recursive: true, force: true });
  }

  async #write({ output, force, title, description, text, known, onProgress }: PackParts): Promise<number> {
    const files = await warcFilesIn(this.warcs);
    const before = new Map<string, number>();
    let total = 0;
    for (const file of files) {
      before.set(file, total);
      total += (await stat(file)).size;
    }
    const wacz = await NewFile.create(output, { force });
    try {
      let fault: string | undefined;
      await writeWacz(files, {
        title,
        description,
        url: undefined,
        text,
        ...(known === undefined ? {} : { known }),
        software: `warctap ${readVersion()}`,
        write: (bytes) => wacz.write(bytes),
        onFault: ({ problem }) => (fault ??= problem),
        onRecord: (file, offset) => onProgress?.((before.get(file) ?? 0) + offset, total),
      });
      if (fault !== undefined) throw new Error(fault);
      const { size } = wacz;
      await wacz.commit();
      return size;
    } catch (error) {
      await wacz.discard().catch(() => undefined);
      throw error;
    }
  }
}

/** In the order in which they were begun, which is that of their names. */
async function warcFilesIn(dir: string): Promise<readonly string[]> {
  const names = await readdir(dir).catch(() => []);
  return names
    .filter((name) => /\.warc(?:\.gz|\.zst)?$/.test(name))
    .sort()
    .map((name) => join(dir, name));
}
