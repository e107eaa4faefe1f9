/**
 * Both digests of a large response, made in another thread: known a little after its last byte.
 */
import type { Digester } from '../util/digest.ts';
import type { HashingThread } from '../util/hashing-thread.ts';

export class ThreadDigests {
  readonly #thread: HashingThread;
  readonly #digesters: readonly [block: Digester, payload: Digester];
  readonly #block: number;
  readonly #payload: number;

  /** @returns undefined where there is no thread that runs and keeps up, or hashing has begun here */
  static takeOver(thread: HashingThread, block: Digester, payload: Digester): ThreadDigests | undefined {
    if (!thread.ready || !thread.drained) return undefined;
    const kept = { block: block.kept, payload: payload.kept };
    if (kept.block === undefined || kept.payload === undefined) return undefined;
    const digests = new ThreadDigests(thread, block, payload);
    for (const piece of kept.block) digests.#hash(digests.#block, piece);
    for (const piece of kept.payload) digests.#hash(digests.#payload, piece);
    block.handOver();
    payload.handOver();
    return digests;
  }

  private constructor(thread: HashingThread, block: Digester, payload: Digester) {
    this.#thread = thread;
    this.#digesters = [block, payload];
    this.#block = thread.open();
    this.#payload = thread.open();
  }

  /** Why nothing will come of it. */
  get error(): Error | undefined {
    return this.#thread.error;
  }

  /** @returns false when the thread is behind: the caller should add no more before `onDrain` has called back */
  update(piece: Buffer, payload: readonly Buffer[]): boolean {
    const at = this.#hash(this.#block, piece);
    for (const slice of payload) {
      if (slice.buffer !== piece.buffer) {
        this.#hash(this.#payload, slice);
      } else {
        const start = at + slice.byteOffset - piece.byteOffset;
        this.#thread.update(this.#payload, start, start + slice.length);
      }
    }
    return this.#thread.drained;
  }

  onDrain(callback: () => void): void {
    this.#thread.onDrain(callback);
  }

  /** @param callback called once, later: when both are known, or there is an `error` */
  finish(callback: () => void): void {
    this.#thread.digests([this.#block, this.#payload], (digests) => {
      for (const [nth, digester] of this.#digesters.entries()) if (digests?.[nth] !== undefined) digester.known(digests[nth]);
      callback();
    });
  }

  /** Nobody wants them. */
  drop(): void {
    this.#thread.drop([this.#block, this.#payload]);
  }

  #hash(hash: number, piece: Buffer): number {
    const at = this.#thread.copy(piece);
    this.#thread.update(hash, at, at + piece.length);
    return at;
  }
}
