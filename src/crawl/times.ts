/**
 * Times of the protocol: RFC 3339 with `T` and `+00:00`, microseconds where they are not zero. Read in any form of it; without zone it is UTC.
 */

/** `2019-01-01T01:01:00+00:00`, `2017-11-03T10:14:42.194000+00:00` */
export function timeText(ms: number): string {
  const iso = new Date(ms).toISOString();
  const fraction = iso.slice(20, 23);
  return `${iso.slice(0, 19)}${fraction === '000' ? '' : `.${fraction}000`}+00:00`;
}

const FORM = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(?:[.,](\d+))?)?(Z|[+-]\d{2}:?\d{2})?$/i;

/** @returns milliseconds, with decimals for what is finer; undefined for what is no time */
export function timeIn(text: string): number | undefined {
  const match = FORM.exec(text.trim());
  if (match === null) return undefined;
  const [, day = '', time = '00:00', seconds = ':00', fraction = '', zone = 'Z'] = match;
  const ms = Date.parse(`${day}T${time}${seconds}${zone.toUpperCase().replace(/^([+-]\d{2})(\d{2})$/, '$1:$2')}`);
  // 30 February is not 2 March.
  if (Number.isNaN(ms) || !new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)) return undefined;
  return ms + Number(`0.${fraction || '0'}`) * 1000;
}
