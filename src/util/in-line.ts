/**
 * A place in a line: whoever is called goes on, whoever is stopped before leaves it.
 */

export interface InLine<T> {
  readonly line: (() => void)[];
  readonly signal: AbortSignal;
  /** called when it is one's turn, at once */
  readonly go: () => T;
  /** called when one has left without a turn */
  readonly left: () => void;
}

/** Stand at the end of a line. @throws the signal's reason */
export function inLine<T>({ line, signal, go, left }: InLine<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const called = () => {
      signal.removeEventListener('abort', leave);
      resolve(go());
    };
    const leave = () => {
      line.splice(line.indexOf(called), 1);
      left();
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever the one who stops it says
      reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    line.push(called);
  });
}
