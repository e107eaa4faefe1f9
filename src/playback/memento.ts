/**
 * The fields of Memento: what time is asked for, and what is said of the capture that is played.
 *
 * A URL is its own TimeGate, and captures have no URLs of their own: they are told apart by `datetime`, which Accept-Datetime asks for.
 * Source: RFC 7089 §2.1, §2.2, §4.1.3 (the original resource as its own TimeGate, without URIs for mementos), §4.5.3 (400); RFC 8288.
 */
import { MessageError } from '../http/errors.ts';
import { fieldOf, Fields } from '../http/fields.ts';
import { httpDate, parseFixdate } from '../http/http-date.ts';
import type { ResponseHead } from '../http/message.ts';

/** A longer URL is not said again: an empty reference means the URL that was asked for (RFC 3986 §4.4). */
const MAX_LINKED = 2000;

/** @throws MessageError when it is no date */
export function acceptDatetime(request: Fields): Date | undefined {
  const value = request.get('accept-datetime');
  if (value === undefined) return undefined;
  const date = parseFixdate(value);
  if (date !== undefined) return date;
  throw new MessageError('syntax', 'Accept-Datetime is not a date such as "Sun, 06 Nov 1994 08:49:37 GMT"', value);
}

/** @param relatives dates by the name of their relation: first, last, prev, next */
export function withMemento(head: ResponseHead, url: string, date: Date, relatives: ReadonlyMap<string, Date>): ResponseHead {
  // An archived page of another archive has dates of its own, which would be taken for ours.
  const kept = head.fields.list.filter(({ key }) => key !== 'memento-datetime');
  const own = [
    fieldOf('Memento-Datetime', httpDate(date)),
    fieldOf('Link', linksOf(url, date, relatives)),
    // A moment that was chosen is no field: a browser may not show from its memory what it has been answered at another.
    fieldOf('Vary', 'Accept-Datetime, *'),
  ];
  return { ...head, fields: new Fields([...kept, ...own]) };
}

function linksOf(url: string, date: Date, relatives: ReadonlyMap<string, Date>): string {
  const target =
    url.length > MAX_LINKED ? '<>' : `<${url.replace(/[<>"]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)}>`;
  const names = new Map<string, string[]>();
  for (const [name, at] of relatives) names.set(httpDate(at), [...(names.get(httpDate(at)) ?? []), name]);
  if (!names.has(httpDate(date))) names.set(httpDate(date), []);
  const mementos = [...names].map(([datetime, rels]) => `${target}; rel="${[...rels, 'memento'].join(' ')}"; datetime="${datetime}"`);
  return [`${target}; rel="original timegate"`, ...mementos].join(', ');
}
