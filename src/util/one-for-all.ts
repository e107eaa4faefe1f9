/**
 * One run for all who ask for it at a time. One that has begun already does not count for who asks later: the next one is theirs.
 */
export function oneForAll(run: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    next = undefined;
    const begun = run();
    current = begun;
    const over = () => {
      if (current === begun) current = undefined;
    };
    begun.then(over, over);
    return begun;
  };
  return () => {
    if (next !== undefined) return next;
    if (current === undefined) return begin();
    return (next = current.then(begin, begin));
  };
}
