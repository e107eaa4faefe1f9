/**
 * JSON where its text matters: bytes of a header read as text, the order of keys, and Python's way of writing it.
 *
 * Source: RFC 8259; spec/warcprox.md §5 ("RULE as JSON with spaces after `:` and `,`").
 */
import { asciiOnly } from './errors.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text of a header value that came as Latin-1: its UTF-8 where it is that, else as it is. */
export function headerText(latin1: string): string {
  if (!/[\x80-\xff]/.test(latin1)) return latin1;
  try {
    return UTF8.decode(Buffer.from(latin1, 'latin1'));
  } catch {
    return latin1; // not UTF-8: the bytes mean themselves
  }
}

/** Deeper values are slow to make, and cannot be walked or written without overflowing the stack. */
export const MAX_DEPTH = 500;

/** Whether JSON text is nested deeper than anything that walks the value could stand. */
export function isTooDeep(text: string): boolean {
  if (text.length < 2 * MAX_DEPTH) return false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) {
      i = stringEnd(text, i) - 1;
    } else if (c === 0x5b || c === 0x7b) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (c === 0x5d || c === 0x7d) {
      depth -= 1;
    }
  }
  return false;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** Only objects as JSON makes them; lists are none. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own field, so that `constructor` or `__proto__` never find anything inherited. */
export function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The same of a field that may be left out: `null` is how many languages write that. */
export function optional(object: JsonObject, key: string): unknown {
  return own(object, key) ?? undefined;
}

/** One line without spaces, printable ASCII only: fit for a header. */
export function compactJson(value: unknown): string {
  return asciiOnly(JSON.stringify(value));
}

/** One line with a space after each `,` and `:`, ASCII only, as Python's `json.dumps` writes. */
export function spacedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(', ')}]`;
  if (!isObject(value)) return asciiOnly(JSON.stringify(value));
  const members = Object.entries(value).map(([key, member]) => `${compactJson(key)}: ${spacedJson(member)}`);
  return `{${members.join(', ')}}`;
}

/**
 * Entries of the object `text[field]` in the order of the text: `JSON.parse` moves keys that look like integers to the front.
 *
 * @param text valid JSON of an object
 */
export function orderedEntries(text: string, field: string, value: JsonObject): [key: string, value: unknown][] {
  const entries = Object.entries(value);
  if (entries.length < 2 || !entries.some(([key]) => /^\d+$/.test(key))) return entries;
  return [...keysInText(text, field)].map((key) => [key, value[key]]);
}

/** Keys of the last member `field` of the outermost object: the last is the one that counts. */
function keysInText(text: string, field: string): ReadonlySet<string> {
  let keys = new Set<string>();
  let depth = 0;
  let key: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"') {
      const end = stringEnd(text, i);
      const isKey = depth <= 2 && text[afterSpace(text, end)] === ':';
      if (isKey && depth === 1) key = JSON.parse(text.slice(i, end)) as string;
      if (isKey && depth === 2 && key === field) keys.add(JSON.parse(text.slice(i, end)) as string);
      i = end - 1;
    } else if (c === '{' || c === '[') {
      depth += 1;
      if (depth === 2 && key === field) keys = new Set();
    } else if (c === '}' || c === ']') {
      depth -= 1;
    }
  }
  return keys;
}

/** @param at index of the opening quote. @returns the index behind the closing one */
function stringEnd(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) return i + 1;
    if (c === 0x5c) i += 1;
  }
  return text.length;
}

function afterSpace(text: string, at: number): number {
  let end = at;
  while (/[ \t\n\r]/.test(text[end] ?? '')) end += 1;
  return end;
}
