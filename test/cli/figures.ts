/** What a core has done, made up. */
import type { Figures } from '../../src/programs/figures.ts';

export const NO_FIGURES: Figures = {
  captures: 0,
  new: 0,
  duplicates: 0,
  errors: 0,
  warcBytes: 0,
  warcFiles: 0,
  active: 0,
  waiting: 0,
  queued: 0,
};
