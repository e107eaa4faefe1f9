/**
 * Names of WARC files: the template, and which prefixes may stand in a name at all.
 *
 * Pure text; whether a name is still free, only the file system knows. A template without `{serialno}` gets the serial number
 * appended (`NAME-00001`) when its plain name is taken, so that every template can go on after a rollover.
 * Source: specification §1 (`--warc-filename`), §3, §5 (`warc-prefix`).
 */
import { isPlain } from '../../util/plain-text.ts';
import { WarcOptionError } from '../errors.ts';
import { OPEN_SUFFIX } from '../paths.ts';

export interface NameParts {
  readonly prefix: string;
  readonly serial: number;
  /** 8 characters of a-z0-9 */
  readonly randomToken: string;
  readonly now: Date;
  readonly hostname: string;
  readonly port: number;
}

/** @returns the name of the closed file, suffix included; `retry` says that the plain name was taken */
export type NameTemplate = (parts: NameParts, retry: boolean) => string;

/** NAME_MAX of the usual file systems. */
const MAX_NAME_BYTES = 255;
/** Leaves room for what templates add, a host name of 63 bytes too, and for `PREFIX-HOST-PORT.log` of the crawl log. */
const MAX_PREFIX_BYTES = 128;
const SEPARATORS = /[/\\]/;
const OPEN_SUFFIX_BYTES = Buffer.byteLength(OPEN_SUFFIX);

const VARIABLES: Readonly<Record<string, (parts: NameParts) => string>> = {
  prefix: ({ prefix }) => prefix,
  timestamp14: ({ now }) => digits(now).slice(0, 14),
  timestamp17: ({ now }) => digits(now),
  serialno: ({ serial }) => serialNumber(serial),
  randomtoken: ({ randomToken }) => randomToken,
  hostname: ({ hostname }) => safe(hostname),
  shorthostname: ({ hostname }) => safe(hostname).replace(/\..*/, ''),
  port: ({ port }) => String(port),
};

/** True for a prefix that can be part of a file name, and be a folder's name, and nothing more. */
export function isSafePrefix(prefix: string): boolean {
  return !['', '.', '..'].includes(prefix) && !hasUnsafe(prefix) && Buffer.byteLength(prefix) <= MAX_PREFIX_BYTES;
}

/**
 * Read a template such as `{prefix}-{timestamp17}-{serialno}-{randomtoken}`.
 *
 * @param suffix of all names: `.warc.gz`
 * @throws WarcOptionError for an unknown variable, a stray brace, a path separator, or names that a file system would refuse
 */
export function nameTemplate(template: string, suffix: string, hostname: string): NameTemplate {
  const parts = template
    .split(/(\{[^{}]*\})/)
    .map((text) => (text.startsWith('{') && text.endsWith('}') ? variable(text.slice(1, -1)) : text));
  const literals = parts.filter((part) => typeof part === 'string').join('');
  if (/[{}]/.test(literals)) throw new WarcOptionError('a brace without its counterpart');
  if (template === '' || hasUnsafe(literals))
    throw new WarcOptionError('a slash, backslash, control or invisible character, or nothing at all');
  const hasSerial = template.includes('{serialno}');
  const name: NameTemplate = (values, retry) =>
    parts.map((part) => (typeof part === 'string' ? part : part(values))).join('') +
    (retry && !hasSerial ? `-${serialNumber(values.serial)}` : '') +
    suffix;

  const longest = {
    prefix: 'x'.repeat(MAX_PREFIX_BYTES),
    serial: 99_999_999,
    randomToken: 'x'.repeat(8),
    now: new Date(0),
    hostname,
    port: 65535,
  };
  const bytes = Buffer.byteLength(name(longest, true)) + OPEN_SUFFIX_BYTES;
  if (bytes > MAX_NAME_BYTES) {
    const limit = `names of up to ${bytes} bytes (longest prefix: ${MAX_PREFIX_BYTES}); a file name has room for ${MAX_NAME_BYTES}`;
    throw new WarcOptionError(limit);
  }
  return name;
}

/** What of a name stands for what in a template. */
const WRITTEN: Readonly<Record<string, string>> = {
  prefix: '(?<prefix>.+?)',
  timestamp14: '\\d{14}',
  timestamp17: '\\d{17}',
  serialno: '\\d{5,}',
  randomtoken: '[a-z0-9]{8}',
  port: '\\d+',
};

/** The prefix in the name of a file of this template; undefined where the name does not tell. */
export function prefixIn(template: string, name: string): string | undefined {
  const seen = new Set<string>();
  const parts = template.split(/(\{[^{}]*\})/).map((text) => {
    const known = text.startsWith('{') ? text.slice(1, -1) : undefined;
    if (known === undefined) return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const again = known === 'prefix' && seen.has(known);
    seen.add(known);
    return again ? '\\k<prefix>' : (WRITTEN[known] ?? '.+?');
  });
  return new RegExp(`^${parts.join('')}(?:-\\d+)*\\.warc(?:\\.\\w+)?$`).exec(name)?.groups?.prefix;
}

function variable(name: string): (parts: NameParts) => string {
  const value = Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined;
  if (value !== undefined) return value;
  const known = Object.keys(VARIABLES).map((each) => `{${each}}`);
  throw new WarcOptionError(`unknown variable {${name.replace(/\p{Cc}/gu, '?')}}; known are ${known.join(' ')}`);
}

function hasUnsafe(text: string): boolean {
  return SEPARATORS.test(text) || !isPlain(text);
}

function safe(text: string): string {
  return Array.from(text, (character) => (hasUnsafe(character) ? '_' : character)).join('');
}

function serialNumber(serial: number): string {
  return String(serial).padStart(5, '0');
}

/** `YYYYMMDDhhmmssmmm` in UTC */
function digits(date: Date): string {
  return date.toISOString().replace(/\D/g, '');
}
