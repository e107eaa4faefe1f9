/**
 * What may end an answer before it is whole: its size, its slowness, and that nobody waits for it any more.
 *
 * Source: Squid has the same for downloads whose client has left, by quick_abort_min, quick_abort_max and quick_abort_pct.
 */
import { MinimumRate, type MinimumRateOptions } from '../util/minimum-rate.ts';

/** Which downloads go on whose client has left: all, those of which little is to come, none. */
export type FinishAbandoned = 'always' | 'small' | 'never';

export interface AnswerLimitOptions {
  /** bytes of a response after which its download is stopped; 0 is no limit */
  readonly maxResourceBytes: number;
  readonly finishAbandoned: FinishAbandoned;
  /** of a response that has begun */
  readonly minRate: MinimumRateOptions;
}

/** So much may be to come, if its size is not known. */
const SMALL_BYTES = 10 * 1024 * 1024;
/** Or it is nearly done: this share of the whole is to come. */
const LAST_SHARE = 0.1;

export class AnswerLimits {
  readonly #options: AnswerLimitOptions;
  #abandonedAt = Infinity;
  #rate: MinimumRate | undefined;

  constructor(options: AnswerLimitOptions) {
    this.#options = options;
  }

  /** Nobody waits for it any more. @param announced bytes of the whole; undefined when it does not say */
  abandon(received: number, announced: number | undefined): void {
    const { finishAbandoned } = this.#options;
    if (finishAbandoned === 'never') this.#abandonedAt = -1;
    else if (finishAbandoned === 'small') this.#abandonedAt = smallLimit(received, announced);
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

  /** Its origin was held back. */
  restart(): void {
    this.#rate?.restart();
  }
}

function smallLimit(received: number, announced: number | undefined): number {
  if (announced === undefined) return received + SMALL_BYTES;
  return announced - received <= Math.max(SMALL_BYTES, announced * LAST_SHARE) ? Infinity : 0;
}
