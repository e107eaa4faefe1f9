/**
 * Standard error of a person's terminal: lines that stay, and below them one live line, which is drawn again and again.
 *
 * The only writer there, and each change is one write, so that the two never run into each other. The cursor stands at the beginning of the
 * live line: what the terminal echoes (^C) overwrites it, and one that a narrower window has wrapped is erased as a whole.
 * Source: ECMA-48 §8.3.39 (ED).
 */

/** Where a log goes: standard error, or what a test listens to. */
export interface Sink {
  write(text: string): unknown;
}

const ERASE = '\r\x1b[J';

export class Screen {
  readonly #sink: Sink;
  readonly #columns: () => number | undefined;
  #live = '';

  /** @param columns of the terminal, if it knows them */
  constructor(sink: Sink, columns: () => number | undefined) {
    this.#sink = sink;
    this.#columns = columns;
  }

  /** 80 where the terminal does not tell. */
  get columns(): number {
    const columns = this.#columns() ?? 0;
    return columns > 0 ? columns : 80;
  }

  /** @param lines whole lines, with their line feeds */
  write(lines: string): void {
    this.#sink.write(this.#live === '' ? lines : `${ERASE}${lines}${this.#live}\r`);
  }

  /** Draw the live line; an empty one erases it. @param line narrower than the terminal */
  show(line: string): void {
    if (line === this.#live) return;
    this.#live = line;
    this.#sink.write(line === '' ? ERASE : `${ERASE}${line}\r`);
  }

  /** The live line is not ours to erase any more: another program has the terminal. */
  forget(): void {
    this.#live = '';
  }
}
