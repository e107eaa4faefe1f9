/**
 * What the fuzz tests share: how many inputs they run, and how an input is made out of valid ones.
 *
 * In the suite each takes a second or two. By hand: `WARCTAP_FUZZ_RUNS=1000000 node --import tsx --test test/fuzz/http1.test.ts`. What is found
 * becomes an entry of corpus/, and is shrunk by fast-check to a few mutations.
 */
import type { TestContext } from 'node:test';
import fc from 'fast-check';
import { RUNS, SEED } from '../support/seed.ts';

/** Long runs have no time-out. */
export const LONG = { timeout: RUNS > 0 ? Infinity : 60_000 };

/** What came of the inputs, by kind: a fuzz test that gets through to nothing proves nothing. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(kind: string): void {
    this.#counts.set(kind, this.of(kind) + 1);
  }

  of(kind: string): number {
    return this.#counts.get(kind) ?? 0;
  }

  toString(): string {
    return [...this.#counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
  }
}

/** @param shortRuns inputs in the suite */
export async function fuzz<Ts>(
  t: TestContext,
  property: fc.IRawProperty<Ts>,
  shortRuns: number,
  tally: Tally = new Tally(),
): Promise<Tally> {
  const numRuns = RUNS > 0 ? RUNS : shortRuns;
  const started = performance.now();
  try {
    await fc.assert(property as fc.IAsyncProperty<Ts>, { numRuns, seed: SEED, includeErrorInReport: true });
  } finally {
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    t.diagnostic(`${numRuns} inputs, seed ${SEED}, ${seconds} s: ${String(tally)}`);
  }
  return tally;
}

/** Run the laws, and say of which bytes they do not hold. */
export function named(input: Buffer, laws: () => void): void {
  try {
    laws();
  } catch (error) {
    throw new Error(`${JSON.stringify(input.toString('latin1'))}: ${error instanceof Error ? error.message : ''}`, { cause: error });
  }
}

/** One change to a message; what its numbers mean depends on its kind and on the message. */
export interface Mutation {
  readonly kind: (typeof KINDS)[number];
  readonly at: number;
  readonly size: number;
  readonly token: Buffer;
}

const KINDS = [
  'insert',
  'insert at line',
  'insert before colon',
  'insert before line end',
  'insert after colon',
  'replace',
  'replace value',
  'replace line end',
  'remove',
  'remove line',
  'duplicate',
  'duplicate line',
  'splice',
  'flip',
  'cut',
] as const;

/** @param tokens what means something in such a message */
export function mutations(tokens: readonly string[], maxLength = 4): fc.Arbitrary<Mutation[]> {
  const token = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...tokens).map((text) => Buffer.from(text, 'latin1')) },
    { weight: 1, arbitrary: fc.nat(255).map((octet) => Buffer.of(octet)) },
  );
  const mutation = fc.record({ kind: fc.constantFrom(...KINDS), at: fc.nat(0xffff), size: fc.nat(31), token });
  return fc.array(mutation, { minLength: 1, maxLength });
}

/** @param other what pieces are taken from */
export function mutate(message: Buffer, changes: readonly Mutation[], other: Buffer): Buffer {
  return changes.reduce((bytes, change) => apply(bytes, change, other), message);
}

function apply(bytes: Buffer, { kind, at, size, token }: Mutation, other: Buffer): Buffer {
  const spot = at % (bytes.length + 1);
  const put = (start: number, end: number, piece: Uint8Array) => Buffer.concat([bytes.subarray(0, start), piece, bytes.subarray(end)]);
  const lines = lineStarts(bytes);
  const n = at % lines.length;
  const line = lines[n] ?? 0;
  const next = lines[n + 1] ?? bytes.length;
  const lineEnd =
    line +
    Buffer.from(bytes.subarray(line, next))
      .toString('latin1')
      .replace(/\r?\n$/, '').length;
  const colon = bytes.subarray(line, next).indexOf(0x3a);
  const colonAt = colon === -1 ? lineEnd : line + colon;
  switch (kind) {
    case 'insert':
      return put(spot, spot, token);
    case 'insert at line':
      return put(line, line, token);
    case 'insert before colon':
      return put(colonAt, colonAt, token);
    case 'insert after colon':
      return put(Math.min(colonAt + 1, next), Math.min(colonAt + 1, next), token);
    case 'insert before line end':
      return put(lineEnd, lineEnd, token);
    case 'replace':
      return put(spot, spot + size, token);
    case 'replace value':
      return put(Math.min(colonAt + 1, lineEnd), lineEnd, token);
    case 'replace line end':
      return put(lineEnd, next, token);
    case 'remove':
      return put(spot, spot + size, Buffer.alloc(0));
    case 'remove line':
      return put(line, next, Buffer.alloc(0));
    case 'duplicate':
      return put(spot, spot, bytes.subarray(spot, spot + size));
    case 'duplicate line':
      return put(next, next, bytes.subarray(line, next));
    case 'splice':
      return put(spot, spot, other.subarray((at * 7) % (other.length + 1), ((at * 7) % (other.length + 1)) + 4 * size));
    case 'flip':
      return put(spot, spot + 1, Buffer.of((bytes[spot] ?? 0) ^ (1 << (size % 8))));
    case 'cut':
      return bytes.subarray(0, spot);
  }
}

function lineStarts(bytes: Buffer): number[] {
  const starts = [0];
  for (let lf = bytes.indexOf(0x0a); lf !== -1 && lf + 1 < bytes.length; lf = bytes.indexOf(0x0a, lf + 1)) starts.push(lf + 1);
  return starts;
}

/** Offsets at which an input is cut into pieces. */
export const cuts = fc.array(fc.nat(0xffff), { maxLength: 5 });

export function cut(whole: Buffer, at: readonly number[]): Buffer[] {
  const offsets = [0, ...at.map((one) => one % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return offsets.slice(1).map((end, i) => whole.subarray(offsets[i], end));
}
