/**
 * Which WARC files have had which steps: lines of JSON in a file of the folder, written when a step is done, and forgotten with their file.
 *
 * What is not in it is to be done, so a kill at any moment costs a step done twice, and never one left out.
 */
import { appendFile, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from '../util/folder.ts';
import { codeOf } from '../util/thrown.ts';

interface Line {
  readonly path: string;
  readonly step: string;
}

const NAME = '.warctap-finished';

export class Journal {
  readonly #file: string;
  readonly #done = new Map<string, Set<string>>();

  private constructor(file: string) {
    this.#file = file;
  }

  /**
   * @param paths of the files that are there
   * @param steps a step that was never asked for is not for files that were there before
   * @throws the file system's error
   */
  static async open(dir: string, paths: readonly string[], steps: readonly string[]): Promise<Journal> {
    const journal = new Journal(join(dir, NAME));
    const lines = await journal.#read();
    const known = new Set(lines.filter(({ path }) => path === '').map(({ step }) => step));
    const there = new Set(paths);
    for (const { path, step } of lines) if (there.has(path)) journal.#add(path, step);
    for (const step of steps) if (!known.has(step)) for (const path of paths) journal.#add(path, step);
    await journal.#rewrite([...new Set([...known, ...steps])]);
    return journal;
  }

  isDone(path: string, step: string): boolean {
    return this.#done.get(path)?.has(step) === true;
  }

  /** @throws the file system's error: then it is done again at the next start */
  async done(path: string, step: string): Promise<void> {
    this.#add(path, step);
    await appendFile(this.#file, lineOf({ path, step }), { flush: true });
  }

  #add(path: string, step: string): void {
    const steps = this.#done.get(path) ?? new Set();
    this.#done.set(path, steps.add(step));
  }

  async #read(): Promise<readonly Line[]> {
    const text = await readFile(this.#file, 'utf8').catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return '';
      throw error;
    });
    // A line that was torn is as if it had not been written.
    return text.split('\n').flatMap((line) => lineIn(line) ?? []);
  }

  /** @param known steps that have been asked for, each as a line without a file */
  async #rewrite(known: readonly string[]): Promise<void> {
    const lines = known.map((step) => lineOf({ path: '', step }));
    for (const [path, steps] of this.#done) for (const step of steps) lines.push(lineOf({ path, step }));
    const temporary = `${this.#file}.tmp`;
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(lines.join(''));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, this.#file);
    await syncFolder(dirname(this.#file));
  }
}

function lineOf(line: Line): string {
  return `${JSON.stringify(line)}\n`;
}

function lineIn(text: string): Line | undefined {
  try {
    const value = JSON.parse(text) as Partial<Line> | null;
    if (typeof value?.path !== 'string' || typeof value.step !== 'string') return undefined;
    return { path: value.path, step: value.step };
  } catch {
    return undefined;
  }
}
