/**
 * Ranges of bytes: what a request asks for, and what that is of a body of known length.
 *
 * Source: RFC 9110 §14.1.2, §14.2, §14.4.
 */
import { trimOws } from './fields.ts';

/** A span with an end, one without, or the last bytes. */
export type RangeSpec = { readonly first: number; readonly last: number | undefined } | { readonly suffix: number };

/** First and last byte, both included. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

/** More ranges than a client has a reason for are not told apart. */
const MAX_TEXT = 200;

/** @returns undefined when the field is not understood, and so has to be ignored */
export function rangeSpecs(value: string): readonly RangeSpec[] | undefined {
  const set = /^bytes[ \t]*=(.*)$/is.exec(trimOws(value))?.[1];
  if (set === undefined) return undefined;
  const specs: RangeSpec[] = [];
  for (const member of set.split(',').map(trimOws)) {
    if (member === '') continue;
    const match = /^(\d{0,15})-(\d{0,15})$/.exec(member);
    const [, first = '', last = ''] = match ?? [];
    if (first === '' && last === '') return undefined;
    if (first === '') specs.push({ suffix: Number(last) });
    else if (last !== '' && Number(last) < Number(first)) return undefined;
    else specs.push({ first: Number(first), last: last === '' ? undefined : Number(last) });
  }
  return specs.length === 0 ? undefined : specs;
}

/** `0-99`, `100-`, `-50`, `0-0,5-9`: one text for one range, however it is written. Undefined when it is not understood, or too long. */
export function rangeText(value: string): string | undefined {
  const specs = rangeSpecs(value);
  if (specs === undefined || specs.length > MAX_TEXT) return undefined;
  const text = specs.map((spec) => ('suffix' in spec ? `-${spec.suffix}` : `${spec.first}-${spec.last ?? ''}`)).join(',');
  return text.length > MAX_TEXT ? undefined : text;
}

/** All ways to ask for exactly what this Content-Range gives. */
export function rangeTextsOf(contentRange: string): readonly string[] {
  const match = /^bytes[ \t]+(\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(trimOws(contentRange));
  if (match === null) return [];
  const [first, last, size] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (last < first) return [];
  return last === size - 1 ? [`${first}-${last}`, `${first}-`, `-${size - first}`] : [`${first}-${last}`];
}

/** @returns undefined when no byte of the body is in the range */
export function spanOf(spec: RangeSpec, size: number): Span | undefined {
  if ('suffix' in spec) return spec.suffix === 0 || size === 0 ? undefined : { first: Math.max(size - spec.suffix, 0), last: size - 1 };
  if (spec.first >= size) return undefined;
  return { first: spec.first, last: Math.min(spec.last ?? size - 1, size - 1) };
}

/** The bytes of the span. Reads no further than that. */
export async function* spanIn(payload: AsyncIterable<Buffer>, { first, last }: Span): AsyncGenerator<Buffer, void> {
  let at = 0;
  for await (const piece of payload) {
    const start = Math.max(first - at, 0);
    const end = Math.min(last + 1 - at, piece.length);
    if (start < end) yield piece.subarray(start, end);
    at += piece.length;
    if (at > last) return;
  }
}
