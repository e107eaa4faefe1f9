/**
 * Whether a request may go on: what its client said in Warcprox-Meta, and what follows from it.
 *
 * Nothing of a refused request reaches an origin or the archive. Source: spec/warcprox.md §5 (order of enforcement).
 */
import type { Fields } from '../http1/fields.ts';
import type { Meta } from '../meta/meta.ts';
import type { Answer } from './answer.ts';

export interface Verdict {
  readonly meta: Meta;
  /** the answer to a request that may not go on */
  readonly refusal: Answer | undefined;
}

export interface Gate {
  /** At once where it can; the promise never rejects. */
  judge(fields: Fields, url: string): Verdict | Promise<Verdict>;
}
