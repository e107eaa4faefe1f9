/** Source: RFC 9110 §10.2.3. */

const MAX_MS = 3_600_000;

/** @param value of a Retry-After field @returns at most an hour; undefined where it says nothing */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? '';
  if (text === '') return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_MS);
}
