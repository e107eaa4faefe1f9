/** Looks at the size of a folder from time to time, and says when it is too large. */
import { performance } from 'node:perf_hooks';
import { sizeOfFolder } from './pack.ts';

const EVERY_MS = 500;
/** A folder of many files is looked at less often: at most for a tenth of the time. */
const PAUSE = 10;

/** @param onTooLarge called once, with its bytes */
export function watchFolder(dir: string, maxBytes: number, onTooLarge: (bytes: number) => void): { close(): void } {
  let timer: NodeJS.Timeout;
  let closed = false;
  const look = async () => {
    const startedMs = performance.now();
    const bytes = await sizeOfFolder(dir);
    if (closed) return;
    if (bytes > maxBytes) return onTooLarge(bytes);
    timer = setTimeout(() => void look(), Math.max(EVERY_MS, PAUSE * (performance.now() - startedMs)));
  };
  timer = setTimeout(() => void look(), EVERY_MS);
  return {
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
