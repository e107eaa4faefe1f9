/**
 * What has changed between the options in force and those that are to be: which of it can be taken over by a program that runs.
 */
import { namesIn, rowIn, type OptionRows, type Resolved } from './row.ts';

/** Names in code. */
export interface Changes {
  /** taken over at once */
  readonly now: readonly string[];
  /** taken over by the next start */
  readonly atNextStart: readonly string[];
}

export function changesOf<Rows extends OptionRows>(rows: Rows, before: Resolved<Rows>, after: Resolved<Rows>): Changes {
  const changed = namesIn(rows).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  const isReloadable = (name: (typeof changed)[number]) => rowIn(rows, name).reloadable === true;
  return { now: changed.filter(isReloadable), atNextStart: changed.filter((name) => !isReloadable(name)) };
}
