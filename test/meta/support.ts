/** What the tests of this room share. */
import type { MetaErrorCode } from '../../src/messages/answers.ts';
import { MetaError } from '../../src/meta/errors.ts';
import { parseMeta } from '../../src/meta/parse.ts';
import type { Steps } from '../../src/util/slices.ts';

/** For assert.throws: a MetaError with this code and exactly this message, which is one printable line. */
export function metaError(code: MetaErrorCode, message: string): (error: unknown) => boolean {
  return (error) => {
    if (!(error instanceof MetaError)) throw error;
    if (error.message !== message || error.code !== code) throw new Error(`got ${error.code}: ${error.message}`);
    return /^[ -~]+$/.test(error.message);
  };
}

/** The value as it comes off the wire: UTF-8 read as Latin-1. */
export function wire(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value), 'utf8').toString('latin1');
}

export function parse(value: unknown): ReturnType<typeof parseMeta> {
  return parseMeta(wire(value));
}

/** How many steps a computation takes, and what comes of it; it must end within `most`. */
export function countSteps<T>(steps: Steps<T>, most = 1e6): { readonly count: number; readonly value: T; readonly longestMs: number } {
  let longestMs = 0;
  for (let count = 1; count <= most; count++) {
    const start = performance.now();
    const next = steps.next();
    longestMs = Math.max(longestMs, performance.now() - start);
    if (next.done) return { count, value: next.value, longestMs };
  }
  throw new Error(`not done after ${most} steps`);
}

/** A clock that moves on by `ms` whenever it is read. */
export function tickingClock(ms: number): () => number {
  let time = 0;
  return () => (time += ms);
}

/** The result, and how many turns of the event loop passed before it was there; `onTurn` is called after each. */
export async function countTurns<T>(
  result: T | Promise<T>,
  onTurn: () => void = () => {},
): Promise<{ readonly turns: number; readonly value: T }> {
  const state = { settled: false };
  const settle = (): void => void (state.settled = true);
  const promise = Promise.resolve(result);
  promise.then(settle, settle);
  let turns = 0;
  for (; !state.settled; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
    onTurn();
  }
  return { turns, value: await promise };
}
