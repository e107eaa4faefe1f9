/**
 * What may end an answer before it is whole: its size, its slowness, and that nobody waits for it any more.
 *
 * The head of a request whose client has left is kept here for as long as its answer comes, and needs room among all heads.
 *
 * Source: Squid has the same for downloads whose client has left, by quick_abort_min, quick_abort_max and quick_abort_pct.
 */
import { MessageError } from '../http/errors.ts';
import type { Fields } from '../http/fields.ts';
import { FIELD_BYTES, NO_CEILING, type HeadMemory } from '../http1/head-memory.ts';
import { MinimumRate, type MinimumRateOptions } from '../util/minimum-rate.ts';

/** Which downloads go on whose client has left: all, those of which little is to come, none. */
export type FinishAbandoned = 'always' | 'small' | 'never';

export interface AnswerLimitOptions {
  /** bytes of a response after which its download is stopped; 0 is no limit */
  readonly maxResourceBytes: number;
  readonly finishAbandoned: FinishAbandoned;
  /** of a response that has begun */
  readonly minRate: MinimumRateOptions;
  /** where heads find room */
  readonly heads?: Pick<HeadMemory, 'take' | 'give'>;
}

/** So much may be to come, if its size is not known. */
const SMALL_BYTES = 10 * 1024 * 1024;
/** Or it is nearly done: this share of the whole is to come. */
const LAST_SHARE = 0.1;

export class AnswerLimits {
  readonly #options: AnswerLimitOptions;
  #abandonedAt = Infinity;
  /** of the request's head, once its client has left */
  #headBytes = 0;
  #rate: MinimumRate | undefined;

  constructor(options: AnswerLimitOptions) {
    this.#options = options;
  }

  /** Nobody waits for it any more. @param announced bytes of the whole; undefined when it does not say */
  abandon(received: number, announced: number | undefined, asked: Fields): void {
    const { finishAbandoned } = this.#options;
    if (finishAbandoned === 'never' || !this.#keepHead(asked)) this.#abandonedAt = -1;
    else if (finishAbandoned === 'small') this.#abandonedAt = smallLimit(received, announced);
  }

  /** It is over. */
  release(): void {
    (this.#options.heads ?? NO_CEILING).give(this.#headBytes);
    this.#headBytes = 0;
  }

  /** @returns why it ends, now that so much has come */
  reached(received: number): 'length' | 'disconnect' | undefined {
    const { maxResourceBytes } = this.#options;
    if (maxResourceBytes > 0 && received > maxResourceBytes) return 'length';
    return received > this.#abandonedAt ? 'disconnect' : undefined;
  }

  /** @param bytes that have just come */
  tooSlow(bytes: number): boolean {
    this.#rate ??= new MinimumRate(this.#options.minRate);
    return this.#rate.tooSlow(bytes);
  }

  /** Its origin is held back: that time is not its own. */
  hold(): void {
    this.#rate?.hold();
  }

  /** It may go on. */
  resume(): void {
    this.#rate?.resume();
  }

  /** @returns false when there is no room for it */
  #keepHead({ list }: Fields): boolean {
    if (this.#headBytes > 0) return true;
    const bytes = list.reduce((sum, { line }) => sum + line.length + FIELD_BYTES, 0);
    try {
      (this.#options.heads ?? NO_CEILING).take(bytes);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      return false;
    }
    this.#headBytes = bytes;
    return true;
  }
}

function smallLimit(received: number, announced: number | undefined): number {
  if (announced === undefined) return received + SMALL_BYTES;
  return announced - received <= Math.max(SMALL_BYTES, announced * LAST_SHARE) ? Infinity : 0;
}
