/**
 * JSON as text: a value is handed on as it was written, so that `1.10` and a number of twenty digits keep their spelling.
 *
 * All of it takes text that `JSON.parse` has accepted. Source: RFC 8259.
 */
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The members of an object and the text of their values; of equal keys the last counts. Nothing for any other value. */
export function membersOf(text: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  let at = afterSpace(text, 0);
  if (text[at] !== '{') return members;
  at = afterSpace(text, at + 1);
  while (text[at] === '"') {
    const keyEnd = stringEnd(text, at);
    const key = JSON.parse(text.slice(at, keyEnd)) as string;
    const start = afterSpace(text, afterSpace(text, keyEnd) + 1); // behind the colon
    const end = valueEnd(text, start);
    members.set(key, text.slice(start, end));
    at = afterSpace(text, end);
    if (text[at] === ',') at = afterSpace(text, at + 1);
  }
  return members;
}

/** The elements of an array; nothing for any other value. */
export function elementsOf(text: string): readonly string[] {
  const elements: string[] = [];
  let at = afterSpace(text, 0);
  if (text[at] !== '[') return elements;
  at = afterSpace(text, at + 1);
  while (at < text.length && text[at] !== ']') {
    const end = valueEnd(text, at);
    elements.push(text.slice(at, end));
    at = afterSpace(text, end);
    if (text[at] === ',') at = afterSpace(text, at + 1);
  }
  return elements;
}

/** On one line, without white space between tokens. */
export function compact(text: string): string {
  let result = '';
  let from = 0;
  for (let at = 0; at < text.length;) {
    if (text.charCodeAt(at) === QUOTE) {
      at = stringEnd(text, at);
    } else if (isSpace(text.charCodeAt(at))) {
      result += text.slice(from, at);
      at = from = afterSpace(text, at);
    } else {
      at += 1;
    }
  }
  return from === 0 ? text : result + text.slice(from);
}

/** @param start of the value. @returns the index behind it */
function valueEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length;) {
    const c = text[at];
    if (c === '"') {
      at = stringEnd(text, at);
      if (depth === 0) return at;
      continue;
    }
    if (depth === 0 && (c === ',' || c === '}' || c === ']' || isSpace(text.charCodeAt(at)))) return at;
    if (c === '{' || c === '[') depth += 1;
    at += 1;
    if ((c === '}' || c === ']') && --depth === 0) return at;
  }
  return text.length;
}

/** @param at index of the opening quote. @returns the index behind the closing one */
function stringEnd(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) return i + 1;
    if (c === BACKSLASH) i += 1;
  }
  return text.length;
}

function afterSpace(text: string, at: number): number {
  let end = at;
  while (isSpace(text.charCodeAt(end))) end += 1;
  return end;
}

function isSpace(c: number): boolean {
  return c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09;
}
