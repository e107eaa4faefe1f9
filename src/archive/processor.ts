/**
 * A step of the post-fetch chain.
 */
import type { Capture } from '../capture/capture.ts';

export interface Processor {
  /** as `/status` lists it */
  readonly name: string;
  /** captures that it has failed for without throwing; counted on from zero */
  readonly errors?: number;
  /**
   * Captures of the last batch that wait for others: the rest goes on through all steps, and then this one gets them again. At most one step
   * of a chain holds back.
   */
  readonly held?: readonly Capture[];
  /**
   * Deal with a batch of captures, in the order in which their fetches ended; the next processor gets the same batch afterwards.
   *
   * @throws when it can do nothing with the batch; the captures go on all the same
   */
  process(batch: readonly Capture[]): Promise<void> | void;
  /** called once, after the last batch */
  close?(): Promise<void>;
}
