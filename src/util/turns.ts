/**
 * Work that has to wait for its turn: so many pieces of it at a time, first come first served.
 */

export interface Turns {
  /** Run `work` when it is its turn; what one throws keeps no other from its turn. @throws what `work` throws */
  run<T>(work: () => Promise<T>): Promise<T>;
  readonly waiting: number;
}

export function turns(atOnce = 1): Turns {
  let running = 0;
  const queue: (() => void)[] = [];
  return {
    get waiting() {
      return queue.length;
    },
    async run(work) {
      if (running < atOnce) running++;
      else await new Promise<void>((resume) => queue.push(resume));
      try {
        return await work();
      } finally {
        const next = queue.shift();
        if (next === undefined) running--;
        else next();
      }
    },
  };
}
