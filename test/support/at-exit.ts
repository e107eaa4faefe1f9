/** What a test file must not leave behind, however it ends: also when the runner stops it, as its time is over. */

const left = new Set<() => void>();
let watching = false;

/** @returns a function that does it now, unless it has been done */
export function atExit(cleanUp: () => void): () => void {
  if (!watching) {
    watching = true;
    process.once('exit', () => {
      for (const each of [...left]) each();
    });
    process.once('SIGTERM', () => process.exit(1));
  }
  const once = () => {
    if (left.delete(once)) cleanUp();
  };
  left.add(once);
  return once;
}
