/**
 * What a thrown thing says: in one line, by its system code, as an Error.
 *
 * Anything may be thrown, and whatever it holds, what comes out is one line without a stack.
 */

/** What any thrown thing says, on one line; of an error that says nothing itself, what those in it say, else its code or name. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return oneLine(thrown);
  if (thrown.message !== '') return oneLine(thrown.message);
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return thrown.errors.map(reasonOf).join('; ');
  return codeOf(thrown) ?? thrown.name;
}

/** The code of an error (`ENOENT`, `Z_BUF_ERROR` …), if it has one. */
export function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** Whether the operating system said no, rather than what was read or written being wrong. */
export function isSystemError(thrown: unknown): thrown is Error & NodeJS.ErrnoException {
  return thrown instanceof Error && 'syscall' in thrown;
}

/** What this process, or the machine, has too few of at the moment: file handles, local ports, memory of the system. */
const OUT_OF = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM', 'EAGAIN']);

/** Whether this machine was out of something, which says nothing of the other side: the error itself, one in it, or a cause of it. */
export function isOutOf(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  if (OUT_OF.has(codeOf(thrown) ?? '')) return true;
  return isOutOf(thrown.cause) || (thrown instanceof AggregateError && thrown.errors.some(isOutOf));
}

export function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(reasonOf(thrown));
}

/** Throw what several things that were closed have thrown, if anything: one as it is, more as one error that tells of all. */
export function throwAll(errors: readonly unknown[], message?: string): void {
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, message ?? errors.map(reasonOf).join('; '));
}

/**
 * One step after the other, whatever became of those before; what they have thrown is thrown at the end, each thing once: a step may close
 * again what one before has closed, and tell of the same.
 */
export async function allInOrder(steps: readonly (() => unknown)[]): Promise<void> {
  const errors = new Set<unknown>();
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      for (const each of error instanceof AggregateError ? (error.errors as unknown[]) : [error]) errors.add(each);
    }
  }
  throwAll([...errors]);
}

function oneLine(said: unknown): string {
  return textOf(said).replace(/\s+/g, ' ').trim();
}

/** Some objects throw when they are asked for a text. */
function textOf(said: unknown): string {
  try {
    return String(said);
  } catch {
    return Object.prototype.toString.call(said);
  }
}
