/**
 * What is wrong with a Warcprox-Meta value: one class, because the reaction is one: 400, with this message as its line.
 *
 * Source: spec/warcprox.md §2 (error table), §5.
 */

import type { MetaErrorCode } from '../messages/answers.ts';

export class MetaError extends Error {
  readonly code: MetaErrorCode;
  /** path of the field, such as `blocks[2].regex`; empty for the value as a whole */
  readonly field: string;

  /** @param found what stood there; shown shortened and escaped, on one line */
  constructor(code: MetaErrorCode, field: string, message: string, found?: unknown, options?: ErrorOptions) {
    const where = field === '' ? 'Warcprox-Meta' : `Warcprox-Meta: ${field}`;
    super(`${where}: ${message}${found === undefined ? '' : `, got ${shown(found)}`}`, options);
    this.name = 'MetaError';
    this.code = code;
    this.field = field;
  }
}

const SHOWN_CHARS = 60;

/** At most 60 characters of a JSON value in printable ASCII, for a line that may end up in a header, a log or a terminal. */
export function shown(found: unknown): string {
  // Long lists and deep nesting are not worth writing out only to be cut.
  const cut = typeof found === 'string' ? found.slice(0, SHOWN_CHARS + 1) : found;
  const text = Array.isArray(cut) ? `a list of ${cut.length}` : isNested(cut) ? 'an object' : JSON.stringify(cut);
  const short = text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
  return asciiOnly(short);
}

/** JSON text with everything outside of printable ASCII written as `\uXXXX`. */
export function asciiOnly(json: string): string {
  return json.replace(/[\x7f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function isNested(found: unknown): boolean {
  return typeof found === 'object' && found !== null;
}
