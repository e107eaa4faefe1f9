/**
 * Which records are meant, by what is seen of them. Of each kind one has to fit, and of all kinds that are given.
 */
import type { Glance } from './glance.ts';

export interface RecordFilter {
  /** whole URLs, in which `*` stands for anything */
  readonly url?: readonly string[] | undefined;
  readonly type?: readonly string[] | undefined;
  /** `200`, `4xx`, `200-299` */
  readonly status?: readonly string[] | undefined;
  /** without parameters, `*` as in URLs */
  readonly mime?: readonly string[] | undefined;
  /** with or without `urn:uuid:` and the brackets around it */
  readonly recordId?: readonly string[] | undefined;
  /** digits of a timestamp, from the year on: the first moment that fits */
  readonly dateFrom?: string | undefined;
  /** the last, with all that begins like it */
  readonly dateTo?: string | undefined;
}

export function recordFilter(filter: RecordFilter): (glance: Glance) => boolean {
  const { dateFrom, dateTo } = filter;
  const urls = filter.url?.map(pattern);
  const types = filter.type?.map((type) => type.toLowerCase());
  const statuses = filter.status?.map(statusRange);
  const mimes = filter.mime?.map((mime) => pattern(mime.toLowerCase()));
  const ids = filter.recordId?.map(bareId);
  return ({ record, url, timestamp, status, mime }) =>
    (types?.includes(record.type.toLowerCase()) ?? true) &&
    (urls?.some((fits) => fits(url)) ?? true) &&
    (statuses?.some(([from, to]) => status !== undefined && status >= from && status <= to) ?? true) &&
    (mimes?.some((fits) => mime !== undefined && fits(mime)) ?? true) &&
    (ids?.includes(bareId(record.header('WARC-Record-ID') ?? '')) ?? true) &&
    (dateFrom === undefined || timestamp >= dateFrom.padEnd(14, '0')) &&
    (dateTo === undefined || (timestamp !== '' && timestamp.slice(0, dateTo.length) <= dateTo));
}

function bareId(id: string): string {
  return id
    .replace(/^<|>$/g, '')
    .replace(/^urn:uuid:/i, '')
    .toLowerCase();
}

/** `*` is any text, the empty one too. Linear in the length: each part is taken where it stands first. */
function pattern(text: string): (value: string) => boolean {
  const [first = '', ...parts] = text.split('*');
  const last = parts.pop();
  if (last === undefined) return (value) => value === text;
  return (value) => {
    if (!value.startsWith(first)) return false;
    let at = first.length;
    for (const part of parts) {
      const found = value.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return value.length - last.length >= at && value.endsWith(last);
  };
}

export const STATUS = /^(?:([1-9])xx|([1-9]\d\d)(?:-([1-9]\d\d))?)$/i;

function statusRange(text: string): readonly [from: number, to: number] {
  const [, hundred, from, to = from] = STATUS.exec(text) ?? [];
  return hundred === undefined ? [Number(from), Number(to)] : [Number(hundred) * 100, Number(hundred) * 100 + 99];
}
