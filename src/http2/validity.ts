/**
 * Whether a message of HTTP/2 is well-formed, as far as nobody may take another view of it: what is not costs its stream.
 *
 * Source: RFC 9113 §8.1.1, §8.2, §8.3.
 */
import { withNeverIndexed, type FieldList } from './field-list.ts';
import { CODE } from './frames.ts';

const OF_HTTP1 = new Set(['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade']);
const OF_REQUESTS = new Set([':method', ':scheme', ':authority', ':path']);
const OF_ANSWERS = new Set([':status']);
const OF_TRAILERS: ReadonlySet<string> = new Set();
/** RFC 3986 §3.2, all of its characters. */
const AUTHORITY = /^[\w.~!$&'()*+,;=:@[\]%-]*$/;
const LENGTH = /^\d{1,15}$/;
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/;

/** A list of fields that nobody can take for another. */
export interface Checked {
  /** of the body, where that was said */
  readonly length: number | undefined;
}

type Verdict = Checked | undefined;

/** @returns undefined for a malformed one */
export function checkedRequest(list: readonly string[]): Verdict {
  const pseudo = pseudoOf(list, OF_REQUESTS);
  if (pseudo === undefined) return undefined;
  const isConnect = pseudo.get(':method') === 'CONNECT';
  const whole = isConnect
    ? pseudo.has(':authority') && pseudo.size === 2
    : pseudo.has(':method') && pseudo.has(':scheme') && pseudo.has(':path') && pseudo.get(':path') !== '';
  return whole && AUTHORITY.test(pseudo.get(':authority') ?? '') ? checkedFields(list) : undefined;
}

/** @returns undefined for a malformed one */
function checkedAnswer(list: readonly string[]): (Checked & { readonly status: number }) | undefined {
  const status = pseudoOf(list, OF_ANSWERS)?.get(':status');
  const fields = checkedFields(list);
  if (fields === undefined || status === undefined || !/^[1-9]\d\d$/.test(status) || status === '101') return undefined;
  return { ...fields, status: Number(status) };
}

/** @returns undefined for malformed ones */
export function checkedTrailers(list: readonly string[]): Verdict {
  return pseudoOf(list, OF_TRAILERS) === undefined ? undefined : checkedFields(list);
}

/**
 * What an answer says of the body that is to come.
 *
 * @param bodiless it can have none, whatever it says
 * @returns undefined for a malformed one; `length` 0 where there is none
 */
export function bodyOfAnswer(list: readonly string[], bodiless: boolean, ended: boolean): ReturnType<typeof checkedAnswer> {
  const checked = checkedAnswer(list);
  if (checked === undefined || checked.status < 200) return ended ? undefined : checked;
  const { status } = checked;
  const length = bodiless || status === 304 || status === 204 ? 0 : checked.length;
  return ended && length !== undefined && length > 0 ? undefined : { status, length };
}

/** Without the fields that nobody may send (RFC 9113 §8.2.1); an archive wants the others all the same. */
export function withoutInvalid(list: FieldList): FieldList {
  let valid = true;
  for (let at = 0; at + 1 < list.length && valid; at += 2) valid = isValid(list[at] ?? '', list[at + 1] ?? '');
  if (valid) return list;
  const left = list.filter((_, at) => isValid(list[at - (at % 2)] ?? '', list[at - (at % 2) + 1] ?? ''));
  return withNeverIndexed(left, list.neverIndexed);
}

/** What a malformed message costs. */
export const MALFORMED = CODE.protocol;

function isValid(name: string, value: string): boolean {
  return (name.startsWith(':') || NAME.test(name)) && !CONTROL.test(value);
}

/** Once each, in front of all others. */
function pseudoOf(list: readonly string[], known: ReadonlySet<string>): ReadonlyMap<string, string> | undefined {
  const pseudo = new Map<string, string>();
  let at = 0;
  for (; at < list.length; at += 2) {
    const name = list[at] ?? '';
    if (name.charCodeAt(0) !== 0x3a) break;
    if (!known.has(name) || pseudo.has(name)) return undefined;
    pseudo.set(name, list[at + 1] ?? '');
  }
  for (; at < list.length; at += 2) if (list[at]?.charCodeAt(0) === 0x3a) return undefined;
  return pseudo;
}

function checkedFields(list: readonly string[]): Verdict {
  let length: number | undefined;
  for (let at = 0; at + 1 < list.length; at += 2) {
    const [name, value] = [list[at] ?? '', list[at + 1] ?? ''];
    if (OF_HTTP1.has(name) || (name === 'te' && value.toLowerCase() !== 'trailers') || /[A-Z]/.test(name)) return undefined;
    if (name === 'host' && !AUTHORITY.test(value)) return undefined;
    if (name !== 'content-length') continue;
    if (length !== undefined || !LENGTH.test(value)) return undefined;
    length = Number(value);
  }
  return { length };
}
