/**
 * Dates as HTTP writes them, to the second.
 *
 * Source: RFC 9110 §5.6.7.
 */
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Sun, 06 Nov 1994 08:49:37 GMT`, which everybody sends. */
const FIXDATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\d\d) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<time>\d\d:\d\d:\d\d) GMT$/;
/** `Sunday, 06-Nov-94 08:49:37 GMT` */
const RFC850 = /^[A-Z][a-z]+day, (?<day>\d\d)-(?<month>[A-Z][a-z]{2})-(?<year>\d\d) (?<time>\d\d:\d\d:\d\d) GMT$/;
/** `Sun Nov  6 08:49:37 1994` */
const ASCTIME = /^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4})$/;

/** `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate) */
export function httpDate(date: Date): string {
  return date.toUTCString();
}

/** An IMF-fixdate, and nothing else (RFC 7089 §2.1.1 for Accept-Datetime). */
export function parseFixdate(text: string): Date | undefined {
  return dateIn(FIXDATE.exec(text));
}

/** Any of the three forms that a recipient has to accept. */
export function parseHttpDate(text: string): Date | undefined {
  return dateIn(FIXDATE.exec(text) ?? RFC850.exec(text) ?? ASCTIME.exec(text));
}

function dateIn(match: RegExpExecArray | null): Date | undefined {
  if (match?.groups === undefined) return undefined;
  const { day = '', month = '', year = '', time = '' } = match.groups;
  const at = MONTHS.indexOf(month);
  const days = Number(day);
  if (at === -1) return undefined;
  // Two digits are of this century or the last: RFC 9110 asks for the one that is not more than 50 years ahead.
  const full = year.length === 4 ? year : String(Number(year) + (Number(year) < 70 ? 2000 : 1900));
  const date = new Date(`${full}-${String(at + 1).padStart(2, '0')}-${String(days).padStart(2, '0')}T${time}Z`);
  // 31 February is a day of March to some engines.
  return Number.isNaN(date.getTime()) || date.getUTCDate() !== days ? undefined : date;
}
