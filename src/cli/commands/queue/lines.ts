/** Lines of a file or of standard input, as operands of commands name them. */
import { createReadStream } from 'node:fs';

/** @param name of a file; `-` for standard input. Empty lines are left out. @throws the system's error */
export async function* linesOf(name: string): AsyncGenerator<string, void> {
  const { createInterface } = await import('node:readline');
  const input = name === '-' ? process.stdin : createReadStream(name);
  // What cannot be opened is told by its own event.
  const broken = new Promise<never>((_, reject) => input.once('error', reject));
  broken.catch(() => undefined);
  const lines = createInterface({ input, crlfDelay: Infinity })[Symbol.asyncIterator]();
  for (;;) {
    const next: IteratorResult<string> = await Promise.race([lines.next(), broken]);
    if (next.done === true) return;
    const line = next.value.trim();
    if (line !== '') yield line;
  }
}
