/** Why there is no browser. */

/** There is none, or it does not start. The message is one line that says what was looked for, or what helps. */
export class NoBrowserError extends Error {
  override readonly name = 'NoBrowserError';
  readonly code = 'NO_BROWSER';
}
