/**
 * Runs a regex program over a text: in time linear in the text, in steps that can pause, in memory with a bound.
 *
 * All threads of the program advance together, byte by byte, at a cost of at most the program's size per byte. For a regex that is work,
 * a table remembers which threads follow from which (a DFA, built as needed): then a byte costs one look-up. The table has a bound;
 * where it fills up without being of use, threads advance without it.
 * Source: R. Cox, "Regular Expression Matching in the Wild" (2010), on caching in RE2.
 */
import { ASSERT, ASSERTS, classify, FORK, MATCH, SET, type ByteClasses, type Program } from './program.ts';
import type { Scratch } from './scratch.ts';
import { WORD } from './set.ts';
import type { Steps } from '../util/slices.ts';

/** What the byte before was. It matters to assertions only. */
const BEGIN = 0;
const AFTER_NEWLINE = 1;
const AFTER_WORD = 2;
const AFTER_OTHER = 3;

/** A pause after that many instructions or bytes: some 50 µs. */
const STEP_WORK = 5_000;
/** A table is begun after that many instructions. */
const TABLE_WORK = 2_000;
/** Of a table, in cells of eight bytes. */
const MAX_TABLE_CELLS = 50_000;
/** Below that many bytes per state, making states costs more than it saves. */
const USES_PER_STATE = 10;
/** Key, arrays and map entry of a state. */
const STATE_CELLS = 60;

interface State {
  /** program counters, in rising order; empty: no match any more */
  readonly threads: Int32Array;
  readonly before: number;
  /** per class of bytes, once known */
  readonly next: (State | undefined)[];
}

export class Machine {
  readonly #program: Program;
  readonly #scratch: Scratch;
  /** made with the first table */
  #classes: ByteClasses | undefined;
  #states = new Map<string, State>();
  #cells = 0;
  /** instructions executed so far */
  #work = 0;
  #tableFrom = TABLE_WORK;
  #reachedCount = 0;
  #matched = false;

  constructor(program: Program, scratch: Scratch) {
    this.#program = program;
    this.#scratch = scratch;
    scratch.reserve(program.size);
  }

  /** Size of the table, in cells of eight bytes, roughly. */
  get cells(): number {
    return this.#cells;
  }

  /** Empties the table. Matches under way may hold states of it; they go on with them, and find new ones as they advance. */
  forget(): void {
    this.#states = new Map();
    this.#cells = 0;
    this.#tableFrom = this.#work + TABLE_WORK;
  }

  /** Whether the whole text matches. Several matches may be under way at once, each between pauses of the others. */
  *match(text: string): Steps<boolean> {
    const { start, asserts } = this.#program;
    const scratch = this.#scratch;
    let before = asserts ? BEGIN : AFTER_OTHER;
    let count = 1;
    scratch.threads[0] = start;
    let state: State | undefined;
    let pauseAt = this.#work + STEP_WORK;
    let tableFrom = this.#tableFrom;
    let fills = 0;
    let filledAt = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      const known = state?.next[this.#classOf(code)];
      if (known !== undefined) {
        state = known;
        count = known.threads.length;
      } else {
        if (state !== undefined) {
          scratch.threads.set(state.threads);
          count = state.threads.length;
          before = state.before;
        }
        count = this.#advance(count, before, code);
        if (asserts) before = kindOf(code);
        if (this.#cells > MAX_TABLE_CELLS) {
          // The second time that it filled up so fast, it is of no use to this text.
          if (i - filledAt < USES_PER_STATE * this.#states.size) fills += 1;
          if (fills > 1) tableFrom = Infinity;
          filledAt = i;
          this.forget();
        }
        const from: State | undefined = state;
        state = this.#work < tableFrom ? undefined : this.#state(count, before);
        if (from !== undefined && state !== undefined) from.next[this.#classOf(code)] = state;
      }
      if (count === 0) return false;
      if (this.#work + i > pauseAt) {
        const threads = scratch.threads.slice(0, state === undefined ? count : 0);
        yield;
        scratch.threads.set(threads);
        pauseAt = this.#work + i + STEP_WORK;
      }
    }
    if (state !== undefined) scratch.threads.set(state.threads);
    this.#follow(count, state?.before ?? before, -1);
    return this.#matched;
  }

  /** Characters that are no bytes have a class of their own. */
  #classOf(code: number): number {
    const classes = (this.#classes ??= classify(this.#program));
    return classes.of[code] ?? classes.count;
  }

  /** The state with the threads in the scratch. */
  #state(count: number, before: number): State {
    const threads = this.#scratch.threads.slice(0, count).sort();
    const key = `${before}${Buffer.from(threads.buffer).toString('latin1')}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const state: State = { threads, before, next: [] };
    this.#states.set(key, state);
    this.#cells += STATE_CELLS + threads.length + this.#classOf(Infinity);
    return state;
  }

  /** Threads in the scratch over one byte. @returns how many they are then */
  #advance(count: number, before: number, byte: number): number {
    const { code, sets } = this.#program;
    this.#follow(count, before, byte);
    const { threads, reached, visited } = this.#scratch;
    const round = this.#scratch.nextRound();
    let end = 0;
    for (let i = 0; i < this.#reachedCount; i++) {
      const pc = reached[i] ?? 0;
      const out = (code[2 * pc] ?? 0) >> 2;
      if (sets[code[2 * pc + 1] ?? 0]?.bytes[byte] !== 1 || visited[out] === round) continue;
      visited[out] = round;
      threads[end] = out;
      end += 1;
    }
    return end;
  }

  /** Finds all instructions that wait for a byte, and whether the end is reached. @param next -1 at the end of the text */
  #follow(count: number, before: number, next: number): void {
    const { code } = this.#program;
    const { threads, reached, visited, stack } = this.#scratch;
    const round = this.#scratch.nextRound();
    this.#reachedCount = 0;
    this.#matched = false;
    for (let i = 0; i < count; i++) {
      let depth = 1;
      stack[0] = threads[i] ?? 0;
      while (depth > 0) {
        depth -= 1;
        const pc = stack[depth] ?? 0;
        if (visited[pc] === round) continue;
        visited[pc] = round;
        this.#work += 1;
        const word = code[2 * pc] ?? 0;
        const op = word & 3;
        if (op === SET) {
          reached[this.#reachedCount] = pc;
          this.#reachedCount += 1;
        } else if (op === FORK) {
          stack[depth] = code[2 * pc + 1] ?? 0;
          stack[depth + 1] = word >> 2;
          depth += 2;
        } else if (op === MATCH) {
          this.#matched = true;
        } else if (op === ASSERT && holds(code[2 * pc + 1] ?? 0, before, next)) {
          stack[depth] = word >> 2;
          depth += 1;
        }
      }
    }
  }
}

function kindOf(byte: number): number {
  return byte === 0x0a ? AFTER_NEWLINE : WORD.bytes[byte] === 1 ? AFTER_WORD : AFTER_OTHER;
}

/** @param next -1 at the end of the text */
function holds(assert: number, before: number, next: number): boolean {
  const border = (before === AFTER_WORD) !== (next >= 0 && kindOf(next) === AFTER_WORD);
  switch (ASSERTS[assert]) {
    case 'text-begin':
      return before === BEGIN;
    case 'line-begin':
      return before === BEGIN || before === AFTER_NEWLINE;
    case 'text-end':
      return next < 0;
    case 'line-end':
      return next < 0 || next === 0x0a;
    case 'word-border':
      return border;
    case 'no-word-border':
      return !border;
    default:
      return false;
  }
}
