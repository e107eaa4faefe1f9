/**
 * A regex as a program for a machine with many threads: what Thompson's construction makes of the tree.
 *
 * Source: R. Cox, "Regular Expression Matching: the Virtual Machine Approach" (2009), on Thompson 1968.
 */
import type { AssertKind } from './escape.ts';
import { NEWLINE, WORD, type ByteSet } from './set.ts';
import type { RegexNode } from './syntax.ts';

export const MATCH = 0;
/** go on at `out` if the next byte is in set number `arg` */
export const SET = 1;
/** go on at `out` and at `arg` */
export const FORK = 2;
/** go on at `out` if assertion number `arg` holds here */
export const ASSERT = 3;

/** In the order of their numbers. */
export const ASSERTS: readonly AssertKind[] = ['text-begin', 'text-end', 'line-begin', 'line-end', 'word-border', 'no-word-border'];

export interface Program {
  /** two words per instruction: operation + 4 × out, arg */
  readonly code: Int32Array;
  readonly size: number;
  readonly start: number;
  readonly sets: readonly ByteSet[];
  /** whether anything depends on more than the bytes that are consumed */
  readonly asserts: boolean;
}

/** @param node its `size` bounds what this costs */
export function compileRegex(node: RegexNode): Program {
  const assembler = new Assembler(node.size + 1);
  const start = assembler.emit(node, assembler.add(MATCH, 0, 0));
  return assembler.program(start);
}

class Assembler {
  readonly #code: Int32Array;
  readonly #sets = new Map<ByteSet, number>();
  #end = 0;
  #asserts = false;

  constructor(size: number) {
    this.#code = new Int32Array(2 * size);
  }

  add(op: number, out: number, arg: number): number {
    const pc = this.#end;
    this.#set(pc, op, out, arg);
    this.#end += 1;
    return pc;
  }

  /** Written from the end to the beginning. @returns where `node` starts, going on at `next` */
  emit(node: RegexNode, next: number): number {
    switch (node.kind) {
      case 'set':
        return this.add(SET, next, this.#setNumber(node.set));
      case 'assert':
        this.#asserts = true;
        return this.add(ASSERT, next, ASSERTS.indexOf(node.assert));
      case 'sequence':
        return node.nodes.reduceRight((pc, part) => this.emit(part, pc), next);
      case 'choice':
        return node.nodes.map((part) => this.emit(part, next)).reduceRight((others, pc) => this.add(FORK, pc, others));
      case 'repeat':
        return this.#repeat(node.node, node.min, node.max, next);
    }
  }

  #repeat(node: RegexNode, min: number, max: number, next: number): number {
    let pc = next;
    if (max === Infinity) {
      pc = this.add(FORK, 0, next);
      this.#set(pc, FORK, this.emit(node, pc), next);
    } else {
      for (let i = min; i < max; i++) pc = this.add(FORK, this.emit(node, pc), next);
    }
    for (let i = 0; i < min; i++) pc = this.emit(node, pc);
    return pc;
  }

  #setNumber(set: ByteSet): number {
    const known = this.#sets.get(set);
    if (known !== undefined) return known;
    this.#sets.set(set, this.#sets.size);
    return this.#sets.size - 1;
  }

  #set(pc: number, op: number, out: number, arg: number): void {
    this.#code[2 * pc] = op + 4 * out;
    this.#code[2 * pc + 1] = arg;
  }

  program(start: number): Program {
    const size = this.#end;
    return { code: this.#code.slice(0, 2 * size), size, start, sets: [...this.#sets.keys()], asserts: this.#asserts };
  }
}

export interface ByteClasses {
  /** class of each byte */
  readonly of: Uint16Array;
  readonly count: number;
}

/** Bytes that are in the same of the program's sets make one class. */
export function classify({ sets, asserts }: Program): ByteClasses {
  const of = new Uint16Array(256);
  let count = 1;
  for (const { bytes } of asserts ? [...sets, NEWLINE, WORD] : sets) {
    // Each class is split into its bytes outside and inside of the set.
    const split = new Int16Array(2 * count).fill(-1);
    count = 0;
    for (let byte = 0; byte < 256; byte++) {
      const half = 2 * (of[byte] ?? 0) + (bytes[byte] ?? 0);
      if (split[half] === -1) split[half] = count++;
      of[byte] = split[half] ?? 0;
    }
  }
  return { of, count };
}
