/** The known name that a mistyped one was probably meant to be: the fewest letters added, dropped or changed (Levenshtein). */
export function nearest(name: string, known: readonly string[]): string {
  const byDistance = known.map((candidate) => ({ candidate, distance: distance(name.toLowerCase(), candidate.toLowerCase()) }));
  return byDistance.reduce((best, next) => (next.distance < best.distance ? next : best)).candidate;
}

/** The same, if it is near enough to be what was meant: of three letters no more than one is another. */
export function nearby(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const candidate = nearest(name, known);
  return distance(name.toLowerCase(), candidate.toLowerCase()) <= Math.max(1, name.length / 3) ? candidate : undefined;
}

/** Letters that are added, left out, changed, or swapped with their neighbour. */
function distance(from: string, to: string): number {
  let beforeAbove: readonly number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const line = [row];
    for (let column = 1; column <= to.length; column++) {
      const changed = at(above, column - 1) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const swapped = isSwap ? at(beforeAbove, column - 2) + 1 : Infinity;
      line.push(Math.min(changed, swapped, at(above, column) + 1, at(line, column - 1) + 1));
    }
    beforeAbove = above;
    above = line;
  }
  return at(above, to.length);
}

function at(line: readonly number[], column: number): number {
  return line[column] ?? Infinity;
}
