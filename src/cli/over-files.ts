/**
 * What commands over WARC files share: output to a file or to standard output, faults as lines on standard error, and how far they are.
 *
 * Owns the signals while a file is written, so that nothing half is left behind.
 */
import { stat } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { roughSize } from '../options/measures.ts';
import { faultLine, type Fault } from '../warc/read/onward.ts';
import { NewFile } from '../warc/write/new-file.ts';
import { EXIT } from './exit.ts';
import { Screen } from './screen.ts';

export interface Work {
  /** To the file or standard output, in the order of the calls. @throws StdoutGone, or the system's error */
  readonly write: (data: string | Uint8Array) => Promise<void> | undefined;
  /** A line for it; the exit code will say that there was one. */
  readonly fault: (fault: Fault) => void;
  /** How far a file is read. */
  readonly at: (file: string, offset: number) => void;
}

export interface OutputOptions {
  /** undefined or `-` is standard output */
  readonly output: string | undefined;
  readonly force: boolean;
}

const DRAW_MS = 250;
const BATCH_CHARS = 64 * 1024;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Whoever read standard output has left, as `head` does: there is nobody to work for. */
class StdoutGone extends Error {
  override readonly name = 'StdoutGone';
}

/** @returns the exit code: 1 where there was a fault */
export async function overFiles(files: readonly string[], to: OutputOptions, work: (work: Work) => Promise<void>): Promise<number> {
  const path = to.output === '-' ? undefined : to.output;
  const file = path === undefined ? undefined : await NewFile.create(path, to);
  const restore = file === undefined ? () => undefined : discardOnSignal(file);
  const progress = await progressOver(files, file !== undefined);
  const sink = file === undefined ? stdout() : { write: (data: Uint8Array) => file.write(data), close: () => undefined };
  const batch = file === undefined && process.stdout.isTTY ? 0 : BATCH_CHARS;
  let faults = 0;
  let records = 0;
  let held = '';
  const flush = (): Promise<void> | undefined => {
    if (held === '') return undefined;
    const bytes = Buffer.from(held);
    held = '';
    return sink.write(bytes);
  };
  const writeBytes = async (bytes: Uint8Array) => {
    await flush();
    await sink.write(bytes);
  };
  try {
    await work({
      write: (data) => {
        if (typeof data !== 'string') return writeBytes(data);
        held += data;
        return held.length > batch ? flush() : undefined;
      },
      fault: (fault) => {
        faults++;
        progress.line(faultLine(fault));
      },
      at: (name, offset) => {
        records++;
        progress.at(name, offset);
      },
    });
    await flush();
    // Nothing could be read: an empty file would say that there is nothing.
    if (records > 0 || faults === 0) await file?.commit();
    else await file?.discard();
  } catch (error) {
    await file?.discard();
    if (!(error instanceof StdoutGone)) throw error;
  } finally {
    sink.close();
    progress.end();
    restore();
  }
  return faults > 0 ? EXIT.failed.code : EXIT.ok.code;
}

function stdout(): { write(data: Uint8Array): Promise<void>; close(): void } {
  let gone: Error | undefined;
  const onError = (error: Error) => (gone = error);
  process.stdout.on('error', onError);
  const check = () => {
    if (gone === undefined) return;
    throw 'code' in gone && gone.code === 'EPIPE' ? new StdoutGone('standard output is closed', { cause: gone }) : gone;
  };
  return {
    write: async (data) => {
      check();
      await new Promise<void>((done) => process.stdout.write(data, () => done()));
      check();
    },
    // What has failed tells of it once more when the process ends.
    close: () => (gone === undefined ? process.stdout.off('error', onError) : undefined),
  };
}

/** @returns what gives the signals back */
function discardOnSignal(file: NewFile): () => void {
  const listeners = SIGNALS.map((signal) => {
    const listener = () => {
      restore();
      void file
        .discard()
        .catch(() => undefined)
        .finally(() => process.kill(process.pid, signal));
    };
    process.on(signal, listener);
    return { signal, listener };
  });
  const restore = () => listeners.forEach(({ signal, listener }) => process.off(signal, listener));
  return restore;
}

interface Progress {
  readonly at: (file: string, offset: number) => void;
  /** a line that stays */
  readonly line: (text: string) => void;
  readonly end: () => void;
}

/** @param quiet nothing else is written to the terminal */
async function progressOver(files: readonly string[], quiet: boolean): Promise<Progress> {
  const { stderr } = process;
  const screen = new Screen(stderr, () => stderr.columns);
  const line = (text: string) => screen.write(`${text}\n`);
  if (!stderr.isTTY || (process.stdout.isTTY && !quiet)) return { at: () => undefined, line, end: () => undefined };
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const before = new Map<string, number>();
  let sum = 0;
  for (const [index, file] of files.entries()) {
    before.set(file, sum);
    sum += sizes[index] ?? 0;
  }
  let lastMs = -Infinity;
  const at = (file: string, offset: number) => {
    const nowMs = performance.now();
    if (nowMs - lastMs < DRAW_MS) return;
    lastMs = nowMs;
    const done = (before.get(file) ?? 0) + offset;
    const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
    screen.show(`${percent} % of ${roughSize(total)} · ${file}`.slice(0, screen.columns - 1));
  };
  return { at, line, end: () => screen.show('') };
}
