/**
 * Whether a request may go on: what its client said in Warcprox-Meta, and what follows from it.
 *
 * Nothing of a refused request reaches an origin or the archive. Source: spec/warcprox.md §5 (order of enforcement).
 */
import type { Fields } from '../http1/fields.ts';
import type { Meta } from '../meta/meta.ts';
import type { Answer } from './answer.ts';

export interface Gate {
  /**
   * What the request's Warcprox-Meta says.
   *
   * @throws MessageError that names what is wrong with it
   */
  meta(fields: Fields): Meta;
  /**
   * The answer to a request that may not go on: limits, soft limits, blocks, in this order.
   *
   * @returns undefined for one that may; a promise, which never rejects, when statistics have to be waited for
   */
  refusal(meta: Meta, url: string, referer: string | undefined): Answer | undefined | Promise<Answer | undefined>;
}
