/**
 * How the value of an option is read: from text (command line, environment, config file) or from a program that embeds the proxy.
 *
 * Pure. A kind either returns the typed value or `REFUSED`; it never repairs a value silently.
 */
import { isIP } from 'node:net';
import { isDigestAlgorithm } from '../util/digest-names.ts';
import { parseNetwork } from '../util/network.ts';
import { isSafePrefix } from '../warc/write/filename.ts';
import { readSeconds, readSize, secondsText, sizeText } from './measures.ts';

export const REFUSED: unique symbol = Symbol('refused');

export interface Kind<Out> {
  /** what a value must be, ending the sentence "expected …" */
  readonly expected: string;
  /** a switch (no argument), a list (may be given more than once), or one value */
  readonly shape: 'switch' | 'list' | 'value';
  /** what a shell may complete: names of files, or these words; nothing without it */
  readonly suggest?: Suggestion;
  read(input: unknown): Out | typeof REFUSED;
}

export type Suggestion = 'files' | readonly string[];

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const YES = new Set(['true', 'yes', 'on', '1']);
const NO = new Set(['false', 'no', 'off', '0']);

export const onOff: Kind<boolean> = {
  expected: 'true or false (also yes, no, on, off, 1, 0)',
  shape: 'switch',
  read(input) {
    if (typeof input === 'boolean') return input;
    if (typeof input !== 'string') return REFUSED;
    const word = input.toLowerCase();
    return YES.has(word) ? true : NO.has(word) ? false : REFUSED;
  },
};

export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): Kind<number> {
  const range = max === Number.MAX_SAFE_INTEGER ? `, at least ${min}` : ` from ${min} to ${max}`;
  return {
    expected: `a whole number${range}`,
    shape: 'value',
    read(input) {
      const value = typeof input === 'string' && /^[0-9]+$/.test(input) ? Number(input) : input;
      return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max ? value : REFUSED;
    },
  };
}

/** A number with a unit: a program gives the number, or a text as on the command line. */
export interface Measure<Out> extends Kind<Out> {
  readonly unit: 'bytes' | 'seconds';
  /** the value as text, with a unit where that is shorter */
  tell(value: number): string;
}

export function isMeasure<Out>(kind: Kind<Out>): kind is Measure<Out> {
  return 'unit' in kind;
}

/** Bytes, as a whole number. @param of what is counted, such as `bytes per second` */
export function size(min = 0, of = 'bytes'): Measure<number> {
  return {
    expected: `a number of ${of}, plain or with a unit (512k, 10M, 1.5G: powers of 1024; 10MB: of 1000), at least ${min}`,
    shape: 'value',
    unit: 'bytes',
    tell: sizeText,
    read: inRange(readSize, (value) => Number.isSafeInteger(value) && value >= min),
  };
}

/** Longest time a timer of Node can wait: 2^31-1 ms. */
const MAX_TIMER_SECONDS = 2_147_483;

/** Seconds, with decimals if need be. */
export function seconds(zero: 'zero allowed' | 'above zero'): Measure<number> {
  const allowZero = zero === 'zero allowed';
  const range = allowZero ? 'from 0' : 'above 0 and';
  return {
    expected: `a number of seconds, plain or with a unit (500ms, 90s, 5m, 2h, 1d), ${range} up to ${MAX_TIMER_SECONDS} s`,
    shape: 'value',
    unit: 'seconds',
    tell: secondsText,
    read: inRange(readSeconds, (value) => value >= 0 && value <= MAX_TIMER_SECONDS && (value > 0 || allowZero)),
  };
}

function inRange(readText: (text: string) => number | undefined, accepts: (value: number) => boolean): Kind<number>['read'] {
  return (input) => {
    const value = typeof input === 'string' ? readText(input) : input;
    return typeof value === 'number' && accepts(value) ? value : REFUSED;
  };
}

/** Minutes, with decimals if need be. */
export const minutes: Kind<number> = {
  expected: `minutes from 0 up to ${Math.floor(Number.MAX_SAFE_INTEGER / 60_000)}`,
  shape: 'value',
  read: inRange(
    (text) => (/^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : undefined),
    (value) => value >= 0 && value <= Number.MAX_SAFE_INTEGER / 60_000,
  ),
};

/** `0` means the same as not giving the option: no limit. With a unit, too, if the kind takes zero. */
export function orNone(kind: Measure<number>): Measure<number | undefined>;
export function orNone(kind: Kind<number>): Kind<number | undefined>;
export function orNone(kind: Kind<number>): Kind<number | undefined> {
  return {
    ...kind,
    expected: `${kind.expected}; 0 for none`,
    read: (input) => {
      const value = input === 0 || input === '0' ? 0 : kind.read(input);
      return value === 0 ? undefined : value;
    },
  };
}

/** Text of which `accepts` says whether it will do. */
export function text(expected: string, accepts: (value: string) => boolean): Kind<string> {
  return { expected, shape: 'value', read: (input) => (typeof input === 'string' && accepts(input) ? input : REFUSED) };
}

export function oneOf<const Choice extends string>(...choices: readonly Choice[]): Kind<Choice> {
  return {
    expected: choices.join(' or '),
    shape: 'value',
    suggest: choices,
    read: (input) => choices.find((choice) => choice === input) ?? REFUSED,
  };
}

export const path: Kind<string> = { ...text('a path', (value) => value !== '' && !value.includes('\0')), suggest: 'files' };

/** A folder; or nothing, `/dev/null` or false, which switch a feature off. */
export const pathOrOff: Kind<string | false> = {
  expected: 'a path, or /dev/null to switch it off',
  shape: 'value',
  suggest: 'files',
  read: (input) => (input === '' || input === '/dev/null' || input === false ? false : path.read(input)),
};

export const httpUrl = text('a URL that begins with http:// or https://', (value) => /^https?:\/\//.test(value) && URL.canParse(value));

/** A value for a header field: no control characters. */
export const fieldValue = text('text without control characters', (value) => !/[\0-\x1f\x7f]/.test(value));

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i;

/** A host name or IP address; an IPv6 address may stand in brackets, which are taken off. */
export const host: Kind<string> = {
  expected: 'a host name or an IP address',
  shape: 'value',
  read: (input) => (typeof input === 'string' ? (unbracketed(input) ?? (isHost(input) ? input : REFUSED)) : REFUSED),
};

/** `HOST:PORT`, or the two as an object. */
export const hostPort: Kind<HostPort> = {
  expected: 'HOST:PORT, with an IPv6 address in brackets',
  shape: 'value',
  read(input) {
    const [name, port] = typeof input === 'string' ? splitHostPort(input) : fieldsOf(input);
    const readHost = host.read(name);
    const readPort = wholeNumber(1, 65535).read(port);
    return readHost === REFUSED || readPort === REFUSED ? REFUSED : { host: readHost, port: readPort };
  },
};

function splitHostPort(input: string): [unknown, unknown] {
  const match = /^(\[[^\]]*\]|[^:[\]]*):([0-9]+)$/.exec(input);
  return [match?.[1], match?.[2]];
}

function fieldsOf(input: unknown): [unknown, unknown] {
  return typeof input === 'object' && input !== null && 'host' in input && 'port' in input
    ? [input.host, input.port]
    : [undefined, undefined];
}

function unbracketed(input: string): string | undefined {
  const inside = /^\[(.*)\]$/.exec(input)?.[1];
  return inside !== undefined && isIP(inside) === 6 ? inside : undefined;
}

function isHost(input: string): boolean {
  if (isIP(input) !== 0) return true;
  // Digits and dots alone are meant as an IPv4 address, and were none.
  return HOST_NAME.test(input) && !/^[0-9.]+$/.test(input);
}

/** A network or a single address. */
export const network = text(
  'an IP address or a network such as 10.0.0.0/8 or 2001:db8::/32, without bits behind the prefix',
  (value) => parseNetwork(value) !== undefined,
);

/** Several values of one kind; one alone is a list of one. */
export function listOf(kind: Kind<string>): Kind<readonly string[]> {
  return {
    ...kind,
    shape: 'list',
    read(input) {
      const items = (Array.isArray(input) ? (input as unknown[]) : [input]).map((item) => kind.read(item));
      return items.every((item) => item !== REFUSED) ? items : REFUSED;
    },
  };
}

/** Source: RFC 9110 §5.6.2 (token), §9.1 (methods). Kept in upper case. */
export const method: Kind<string> = {
  expected: 'an HTTP method such as GET',
  shape: 'value',
  read: (input) => (typeof input === 'string' && /^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(input) ? input.toUpperCase() : REFUSED),
};

export const digestAlgorithm: Kind<string> = {
  expected: 'a hash function that Node has, such as sha1, sha256 or sha512',
  shape: 'value',
  read(input) {
    const name = typeof input === 'string' ? input.toLowerCase() : '';
    return isDigestAlgorithm(name) ? name : REFUSED;
  },
};

/** The beginning of a file's name, by the rule of the room that makes the names. */
export const filePrefix = text('a short name without slashes, control and invisible characters, other than . and ..', isSafePrefix);

/** Source: RFC 1929 §2 (user name and password of SOCKS5). */
export const socksCredential = text('1 to 255 bytes of text', (value) => value !== '' && Buffer.byteLength(value) <= 255);

/** A module: a path, or the name of a package. */
export const moduleName: Kind<string> = { ...text('text', (value) => value !== ''), suggest: 'files' };

/** Text that is looked at elsewhere. */
export const anyText = text('text', (value) => value !== '');
