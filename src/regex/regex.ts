/**
 * Regexes from clients: Python's syntax, matched in linear time, in steps, in bounded memory.
 *
 * A regex that is too large to be matched fairly is refused when it is read. Programs are built when they are first needed and kept
 * while there is room, under their source: clients send the same regexes with every request.
 */
import { LRUCache } from 'lru-cache';
import { RegexError } from './errors.ts';
import { Machine } from './machine.ts';
import { compileRegex } from './program.ts';
import { Scratch } from './scratch.ts';
import { ANY } from './set.ts';
import { parseRegex, type RegexNode } from './syntax.ts';
import type { Steps } from '../util/slices.ts';

export interface Regex {
  readonly source: string;
  /** instructions, about: a measure of memory and of work per byte */
  readonly size: number;
  /** @param text canonical URL, or a header value as Latin-1 */
  match(text: string): Steps<boolean>;
}

export type Extent = 'whole' | 'start' | 'part';

export interface Regexes {
  /**
   * @param extent `whole`: the regex must match the whole text; `start`: some beginning of it; `part`: anything in it
   * @throws RegexError
   */
  read(source: string, extent: Extent): Regex;
}

export interface RegexesOptions {
  /** for programs and their tables, in bytes, roughly */
  readonly maxBytes?: number;
}

const MAX_SOURCE_CHARS = 32_768;
/** Matching takes, at worst, some 0.05 µs per instruction and byte of the text, in steps no longer than one byte takes. */
const MAX_SIZE = 20_000;
const MAX_BYTES = 128 * 1024 * 1024;
/** Objects, sets and map entries of a small program. */
const PROGRAM_BYTES = 800;
const INSTRUCTION_BYTES = 10;
const CELL_BYTES = 8;

export function createRegexes({ maxBytes = MAX_BYTES }: RegexesOptions = {}): Regexes {
  const scratch = new Scratch();
  const read = new LRUCache<string, Regex>({ maxSize: maxBytes / 4, sizeCalculation: ({ source }) => 2 * source.length + 500 });
  const machines = new LRUCache<string, Machine>({ maxSize: maxBytes / 2, dispose: (_, key) => tables.delete(key) });
  /** those of them that have a table */
  const tables = new LRUCache<string, Machine>({ maxSize: maxBytes / 4, dispose: (machine) => machine.forget() });

  /** A program that is needed once is not kept: of 200,000 regexes in one request each would put another out. */
  function machineFor(regex: Kept): Machine {
    const machine = new Machine(compileRegex(parse(regex.source, regex.extent)), scratch);
    if (regex.wasUsed) machines.set(regex.key, machine, { size: PROGRAM_BYTES + INSTRUCTION_BYTES * regex.size + 2 * regex.key.length });
    regex.wasUsed = true;
    return machine;
  }

  function* match(regex: Kept, text: string): Steps<boolean> {
    const { key } = regex;
    let machine = machines.get(key);
    if (machine === undefined) {
      machine = machineFor(regex);
      yield;
    }
    const { cells } = machine;
    const matched = yield* machine.match(text);
    if (machine.cells !== cells && machines.peek(key) === machine) tables.set(key, machine, { size: CELL_BYTES * machine.cells + 1 });
    return matched;
  }

  return {
    read(source, extent) {
      const key = `${extent} ${source}`;
      const known = read.get(key);
      if (known !== undefined) return known;
      const regex = new Kept(key, source, extent, parse(source, extent).size, match);
      read.set(key, regex);
      return regex;
    },
  };
}

/** Small, as there may be 200,000 in one request. */
class Kept implements Regex {
  readonly key: string;
  readonly source: string;
  readonly extent: Extent;
  readonly size: number;
  readonly #match: (regex: Kept, text: string) => Steps<boolean>;
  wasUsed = false;

  constructor(key: string, source: string, extent: Extent, size: number, match: (regex: Kept, text: string) => Steps<boolean>) {
    this.key = key;
    this.source = source;
    this.extent = extent;
    this.size = size;
    this.#match = match;
  }

  match(text: string): Steps<boolean> {
    return this.#match(this, text);
  }
}

function parse(source: string, extent: Extent): RegexNode {
  if (source.length > MAX_SOURCE_CHARS) throw new RegexError(`regex too large, expected at most ${MAX_SOURCE_CHARS} characters`, true);
  const node = parseRegex(source);
  if (node.size > MAX_SIZE) throw new RegexError(`regex too large, expected at most ${MAX_SIZE} steps with all its repetitions`, true);
  if (extent === 'whole') return node;
  const rest: RegexNode = { kind: 'repeat', node: { kind: 'set', set: ANY, size: 1 }, min: 0, max: Infinity, size: 2 };
  const nodes = extent === 'start' ? [node, rest] : [rest, node, rest];
  return { kind: 'sequence', nodes, size: nodes.reduce((size, each) => size + each.size, 0) };
}
