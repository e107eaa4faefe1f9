/**
 * Python's regular expressions, read into a tree: what matching in linear time can do of them, and a clear word about the rest.
 *
 * Reads patterns as `re` reads bytes: `\w`, `\d`, `\s` and case are ASCII's. Captures and greed make no difference to whether a text
 * matches, so the tree has neither. Nothing is expanded here: `size` says how long the program would be.
 * Source: Python 3 library reference, "re: Regular Expression Syntax".
 */
import { RegexError } from './errors.ts';
import { asserted, escapedSet, type AssertKind } from './escape.ts';
import { readClass } from './class.ts';
import { NO_FLAGS, unsupported, withFlags, type Flags } from './flags.ts';
import { EMPTY, NOT_NEWLINE, ANY, single, type ByteSet } from './set.ts';

export type RegexNode =
  | { readonly kind: 'set'; readonly set: ByteSet; readonly size: number }
  | { readonly kind: 'assert'; readonly assert: AssertKind; readonly size: number }
  | { readonly kind: 'sequence' | 'choice'; readonly nodes: readonly RegexNode[]; readonly size: number }
  | { readonly kind: 'repeat'; readonly node: RegexNode; readonly min: number; readonly max: number; readonly size: number };

const COUNT = /\{(?!\})(\d*)(?:(,)(\d*))?\}/y;
const NAME = /P<([^>]*)>/y;
const FLAGS = /([aiLmsux]*)(?:-([imsx]+))?([:)])/y;
const VERBOSE_SPACE = /(?:[ \t\n\r\v\f]+|#[^\n]*)+/y;
/** Far above what people write, far below what the stack holds. */
const MAX_DEPTH = 250;
/** Longer than any URL that a server accepts. */
const MAX_COUNT = 100_000;

export function parseRegex(source: string): RegexNode {
  return new Parser(source).parse();
}

class Parser {
  readonly #source: string;
  readonly #names = new Set<string>();
  #at = 0;
  #depth = 0;
  #flags = NO_FLAGS;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): RegexNode {
    const node = this.#choice();
    if (this.#at < this.#source.length) throw new RegexError('unbalanced parenthesis');
    return node;
  }

  #choice(): RegexNode {
    const nodes = [this.#sequence(this.#depth === 0)];
    while (this.#take('|')) nodes.push(this.#sequence(false));
    const [only] = nodes;
    return nodes.length === 1 && only !== undefined ? only : { kind: 'choice', nodes, size: total(nodes) + nodes.length - 1 };
  }

  /** @param first nothing stands before it, so flags for the whole may begin it */
  #sequence(first: boolean): RegexNode {
    const nodes: RegexNode[] = [];
    for (;;) {
      this.#skip();
      const c = this.#source[this.#at];
      if (c === undefined || c === '|' || c === ')') break;
      const atom = c === '(' ? this.#group(first && nodes.length === 0) : this.#atom(c);
      if (atom !== undefined) nodes.push(this.#repeated(atom, c !== '('));
    }
    const [only] = nodes;
    return nodes.length === 1 && only !== undefined ? only : { kind: 'sequence', nodes, size: total(nodes) };
  }

  #repeated(node: RegexNode, bare: boolean): RegexNode {
    this.#skip();
    const count = this.#quantifier();
    if (count === undefined) return node;
    if (bare && node.kind === 'assert') throw new RegexError('nothing to repeat');
    this.#take('?');
    if (this.#take('+')) throw new RegexError('possessive quantifiers are not supported');
    this.#skip();
    if (this.#quantifier() !== undefined) throw new RegexError('multiple repeat');
    const [min, max] = count;
    // What matches nothing has no size, but is work to repeat.
    const each = Math.max(node.size, 1);
    return { kind: 'repeat', node, min, max, size: each * min + (max === Infinity ? each + 1 : (max - min) * (each + 1)) };
  }

  /** Taken, if one stands here; a brace that is none stands for itself. */
  #quantifier(): [min: number, max: number] | undefined {
    if (this.#take('*')) return [0, Infinity];
    if (this.#take('+')) return [1, Infinity];
    if (this.#take('?')) return [0, 1];
    if (this.#source[this.#at] !== '{') return undefined;
    const match = this.#match(COUNT);
    if (match === undefined) return undefined;
    const [, low = '', comma, high = ''] = match;
    const min = Number(low);
    const max = comma === undefined ? min : high === '' ? Infinity : Number(high);
    if (max < min) throw new RegexError('min repeat greater than max repeat');
    if (min > MAX_COUNT || (max > MAX_COUNT && max !== Infinity))
      throw new RegexError(`regex too large, counts go up to ${MAX_COUNT}`, true);
    return [min, max];
  }

  #atom(c: string): RegexNode {
    if (c === '\\') return this.#escape();
    if (c === '[') {
      const { set, end } = readClass(this.#source, this.#at, this.#flags.ignoreCase);
      this.#at = end;
      return setNode(set);
    }
    if (this.#quantifier() !== undefined) throw new RegexError('nothing to repeat');
    const code = this.#source.codePointAt(this.#at) ?? 0;
    this.#at += code > 0xffff ? 2 : 1;
    if (c === '.') return setNode(this.#flags.dotAll ? ANY : NOT_NEWLINE);
    if (c === '^') return assertNode(this.#flags.multiline ? 'line-begin' : 'text-begin');
    if (c === '$') return assertNode(this.#flags.multiline ? 'line-end' : 'text-end');
    return setNode(this.#literal(code));
  }

  #escape(): RegexNode {
    const assert = asserted(this.#source, this.#at);
    if (assert !== undefined) {
      this.#at += 2;
      return assertNode(assert);
    }
    const { set, code, end } = escapedSet(this.#source, this.#at, false);
    this.#at = end;
    return setNode(set ?? this.#literal(code));
  }

  #literal(code: number): ByteSet {
    return code > 0xff ? EMPTY : single(code, this.#flags.ignoreCase);
  }

  /** @returns undefined for flags, which match nothing and take no quantifier */
  #group(first: boolean): RegexNode | undefined {
    this.#at += 1;
    let flags = this.#flags;
    if (this.#take('?')) {
      const name = this.#match(NAME)?.[1];
      if (name !== undefined) this.#name(name);
      else if (!this.#take(':')) {
        const written = this.#match(FLAGS);
        if (written === undefined) throw new RegexError(unsupported(this.#source.slice(this.#at, this.#at + 2)));
        flags = withFlags(flags, written[1], written[2]);
        if (written[3] === ')') {
          if (!first || written[2] !== undefined || written[1] === '')
            throw new RegexError('global flags not at the start of the expression');
          this.#flags = flags;
          return undefined;
        }
      }
    }
    return this.#grouped(flags);
  }

  #grouped(flags: Flags): RegexNode {
    const outside = this.#flags;
    this.#flags = flags;
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new RegexError('regex nested too deeply', true);
    const node = this.#choice();
    if (!this.#take(')')) throw new RegexError('missing ), unterminated subpattern');
    this.#depth -= 1;
    this.#flags = outside;
    return node;
  }

  #name(name: string): void {
    if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name)) throw new RegexError('bad group name');
    if (this.#names.has(name)) throw new RegexError('group name used twice');
    this.#names.add(name);
  }

  /** Comments, and in verbose regexes space; they stand between an atom and its quantifier, too. */
  #skip(): void {
    for (;;) {
      if (this.#flags.verbose) this.#match(VERBOSE_SPACE);
      if (this.#source[this.#at] !== '(' || !this.#source.startsWith('(?#', this.#at)) return;
      const end = this.#source.indexOf(')', this.#at);
      if (end < 0) throw new RegexError('missing ), unterminated comment');
      this.#at = end + 1;
    }
  }

  #take(c: string): boolean {
    if (this.#source[this.#at] !== c) return false;
    this.#at += 1;
    return true;
  }

  #match(regex: RegExp): RegExpExecArray | undefined {
    regex.lastIndex = this.#at;
    const match = regex.exec(this.#source) ?? undefined;
    if (match !== undefined) this.#at += match[0].length;
    return match;
  }
}

function setNode(set: ByteSet): RegexNode {
  return { kind: 'set', set, size: 1 };
}

function assertNode(assert: AssertKind): RegexNode {
  return { kind: 'assert', assert, size: 1 };
}

function total(nodes: readonly RegexNode[]): number {
  return nodes.reduce((sum, { size }) => sum + size, 0);
}
