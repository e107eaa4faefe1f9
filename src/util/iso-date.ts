/** Dates as text, of which most are the same as the one before: captures of one batch were begun in the same milliseconds. */

let lastMs = NaN;
let lastText = '';

/** `2026-01-02T03:04:05.678Z` (RFC 3339) */
export function isoDate(date: Date): string {
  const ms = date.getTime();
  if (ms !== lastMs) {
    lastText = date.toISOString();
    lastMs = ms;
  }
  return lastText;
}
