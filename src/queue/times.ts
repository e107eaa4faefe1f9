/**
 * Times as the protocol writes them, without zone: all are UTC.
 *
 * Source: the wiki page "Heroshi programming interface" (the form with a space); the published manager and worker (the form with a T).
 */

/** `2026-01-05 10:00:00` */
export function spacedTime(ms: number): string {
  return isoSeconds(ms).replace('T', ' ');
}

/** `2026-01-05T10:00:00` */
export function isoSeconds(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19);
}

const FORM = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(\.\d+)?(Z|[+-]\d{2}:\d{2})?$/i;

/** Both forms, and RFC 3339. @returns milliseconds; undefined for what is no time */
export function timeIn(text: string): number | undefined {
  const [, day = '', time = '', fraction = '', zone = 'Z'] = FORM.exec(text) ?? [];
  if (!isDay(day)) return undefined;
  const ms = Date.parse(`${day}T${time}${fraction.slice(0, 4)}${zone.toUpperCase()}`);
  return Number.isNaN(ms) ? undefined : ms;
}

/** `YYYY-MM-DD` that exists. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}
