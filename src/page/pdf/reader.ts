/**
 * Links of PDF files, read one at a time in a thread that is started for the first of them, and ended when it was idle, when a file has taken
 * too long, or when it has kept too much memory.
 */
import { Worker } from 'node:worker_threads';
import { reasonOf } from '../../util/thrown.ts';

/** Nobody's PDF of up to 10 MiB takes as long. */
const TIME_MS = 10_000;
const IDLE_MS = 30_000;
/** Of the thread without PDFium. */
const LIMITS = { maxOldGenerationSizeMb: 128 };
/** With more PDFium does not begin the next file. It never gives memory back. */
const MAX_KEPT_MEMORY = 64 * 1024 * 1024;

/** What the thread posts. */
interface FoundInPdf {
  /** PDFium is there: from now on it is the file that takes time */
  readonly begun?: boolean;
  readonly links?: readonly string[];
  /** the file has been read: empty, or why not all of it was */
  readonly why?: string;
  /** bytes that PDFium has taken */
  readonly memory?: number;
}

interface Task {
  readonly bytes: Uint8Array;
  readonly onLink: (link: string) => void;
  readonly done: (why: string) => void;
}

export class PdfReader {
  readonly #timeMs: number;
  readonly #tasks: Task[] = [];
  #worker: Worker | undefined;
  /** of the time that a file has, or of idleness */
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param timeMs that a file may take */
  constructor(timeMs = TIME_MS) {
    this.#timeMs = timeMs;
  }

  /**
   * Links of one file: the URIs of its link annotations and the URLs in its text, as they are written.
   *
   * @param bytes whole
   * @returns empty, or why it was not read to its end; links that came before count
   * @throws the reason of the signal
   */
  async read(bytes: Uint8Array, onLink: (link: string) => void, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    if (this.#closed) return 'the program ends';
    let drop = () => undefined as unknown;
    const why = await new Promise<string>((done) => {
      const task: Task = { bytes, onLink, done };
      drop = () => this.#drop(task);
      signal.addEventListener('abort', drop);
      this.#tasks.push(task);
      if (this.#tasks.length === 1) this.#begin();
    });
    signal.removeEventListener('abort', drop);
    signal.throwIfAborted();
    return why;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const { done } of this.#tasks.splice(0)) done('the program ends');
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #begin(): void {
    clearTimeout(this.#timer);
    const [task] = this.#tasks;
    if (task === undefined) {
      this.#timer = setTimeout(() => this.#end(), IDLE_MS).unref();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#end();
      this.#next(`it takes more than ${this.#timeMs / 1000} s`);
    }, this.#timeMs);
    (this.#worker ??= this.#start()).postMessage(task.bytes);
  }

  #start(): Worker {
    const worker = new Worker(new URL('./thread.js', import.meta.url), { stdout: true, stderr: true, resourceLimits: LIMITS });
    worker.unref();
    const failed = (error: unknown) => {
      if (this.#worker !== worker) return;
      this.#end();
      this.#next(`its reader has failed: ${reasonOf(error)}`);
    };
    worker.on('error', failed);
    worker.on('exit', failed);
    worker.on('message', ({ begun, links = [], why, memory = 0 }: FoundInPdf) => {
      if (this.#worker !== worker) return;
      if (begun === true) this.#timer?.refresh();
      for (const link of links) this.#tasks[0]?.onLink(link);
      if (why === undefined) return;
      if (memory > MAX_KEPT_MEMORY) this.#end();
      this.#next(why);
    });
    return worker;
  }

  #next(why: string): void {
    this.#tasks.shift()?.done(why);
    if (!this.#closed) this.#begin();
  }

  /** Whoever waits for it has gone. */
  #drop(task: Task): void {
    const at = this.#tasks.indexOf(task);
    if (at === -1) return;
    if (at > 0) {
      this.#tasks.splice(at, 1);
      return task.done('');
    }
    this.#end();
    this.#next('');
  }

  #end(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
  }
}
