/**
 * Captures that somebody in this process waits for, by the id of their principal record.
 */
import type { Capture, Outcome } from '../capture/capture.ts';

/** What has become of a fetch, once it has left the chain: the records that were written, principal record first, none when it was not archived. */
export interface Archived extends Readonly<Outcome> {
  /** of its principal record */
  readonly recordId: string;
}

export class Expected {
  readonly #waiting = new Map<string, { readonly resolve: (archived: Archived) => void; readonly reject: (error: Error) => void }>();
  #closed = false;

  capture(recordId: string): Promise<Archived> {
    const expected = new Promise<Archived>((resolve, reject) => {
      if (this.#closed) reject(new Error(CLOSED));
      else this.#waiting.set(recordId, { resolve, reject });
    });
    // Who does not look is not told.
    expected.catch(() => undefined);
    return expected;
  }

  forget(recordId: string): void {
    this.#waiting.delete(recordId);
  }

  tell({ recordId, outcome }: Capture): void {
    if (this.#waiting.size === 0) return;
    this.#waiting.get(recordId)?.resolve({ recordId, ...outcome });
    this.#waiting.delete(recordId);
  }

  /** Nothing more comes. */
  close(): void {
    this.#closed = true;
    for (const { reject } of this.#waiting.values()) reject(new Error(CLOSED));
    this.#waiting.clear();
  }
}

const CLOSED = 'closed before the capture was archived';
