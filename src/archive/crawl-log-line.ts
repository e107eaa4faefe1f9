/**
 * One capture as a line of the crawl log: 13 fields between single spaces.
 *
 * Pure text. Whatever clients and origins put into a URL, a type or a seed, a line stays one line and keeps its 13 fields.
 * Source: spec/warcprox.md §6; statuses are those of Heritrix as warcprox 2.13.1 gives them.
 */
import { domainToASCII } from 'node:url';
import type { Capture, FailedCapture } from '../capture/capture.ts';
import { bodySize, contentType, isFailure, payloadDigest, statusOf, wireSize } from '../capture/kinds.ts';
import { mediaTypeIn } from '../http/media-type.ts';
import { encode, utf8Bytes } from '../url/percent.ts';

/**
 * Artificial statuses by the proxy's reasons. Everything else, a failure of TLS or an answer that is none, counts as -404, as does
 * whatever is answered from the failure cache. -8 (retries used up) does not occur: what is retried here ends with the reason of the last attempt.
 */
const ARTIFICIAL_STATUS: Readonly<Record<string, number>> = {
  'not-resolved': -6,
  'not-connected': -2,
  'connect-timeout': -2,
  'response-timeout': -2,
  'proxy-failed': -2,
};
const FAILED_OTHERWISE = -404;

const FROM_FAILURE_CACHE = 'failed-before';
/** What warcprox writes, and scripts look for. */
const CACHED_FAILURE = 'Cached_Failed_Connection';

const STATUS_WIDTH = 5;
const SIZE_WIDTH = 10;

/** @returns the line with its line feed */
export function crawlLogLine(capture: Capture, loggedAt: Date): string {
  const { hopPath, via } = hops(capture);
  const { seed } = capture.meta.metadata;
  const [principal] = capture.outcome.records ?? [];
  const fields = [
    loggedAt.toISOString(),
    String(isFailure(capture) ? artificialStatus(capture) : statusOf(capture)).padStart(STATUS_WIDTH),
    String(bodySize(capture)).padStart(SIZE_WIDTH),
    orDash(escaped(capture.url)),
    hopPath,
    via,
    mimeType(capture),
    '-',
    isFailure(capture) ? '-' : `${digits(capture.startedAt)}+${String(Math.round(capture.durationMs)).padStart(3, '0')}`,
    isFailure(capture) ? '-' : payloadDigest(capture),
    orDash(escaped(seed ?? '')),
    principal?.type === 'revisit' ? 'duplicate:digest' : '-',
    extraInfo(capture),
  ];
  return `${fields.join(' ')}\n`;
}

/** Source: as above; a capture of a failure has the same in its records. */
export function artificialStatus({ error }: FailedCapture): number {
  return ARTIFICIAL_STATUS[error.code] ?? FAILED_OTHERWISE;
}

function mimeType(capture: Capture): string {
  const type = mediaTypeIn(contentType(capture));
  return type === '' ? 'unknown' : escaped(type, 'latin1');
}

/**
 * Hop path and via.
 *
 * Without any of the client's hop fields the referer is the via; a capture that is not the page that the client browses is an embed
 * of it or a redirect from it: `B`.
 */
function hops({ url, referer: refererField, meta }: Capture): { hopPath: string; via: string } {
  const { hopPath, brozzledUrl, hopViaUrl } = meta.metadata;
  const referer = escaped(refererField ?? '', 'latin1');
  if (hopPath === undefined && brozzledUrl === undefined && hopViaUrl === undefined) return { hopPath: '-', via: orDash(referer) };
  const path = orDash(escaped(hopPath ?? ''));
  const page = brozzledUrl === undefined ? undefined : asciiUrl(brozzledUrl);
  if (page !== undefined && page !== asciiUrl(url)) return { hopPath: path === '-' ? 'B' : `${path}B`, via: orDash(page) };
  if (path === '-') return { hopPath: '-', via: '-' };
  return { hopPath: path, via: orDash(referer === '' ? asciiUrl(hopViaUrl ?? '') : referer) };
}

/** Compact JSON in ASCII; a space inside of a string is written `\u0020`. */
function extraInfo(capture: Capture): string {
  const [principal] = capture.outcome.records ?? [];
  const contentSize = wireSize(capture);
  const info = {
    ...(contentSize > 0 ? { contentSize } : {}),
    ...(isFailure(capture) ? exceptionOf(capture) : {}),
    ...(principal === undefined ? {} : { warcFilename: principal.filename, warcFileOffset: principal.offset }),
    ...(capture.method === 'GET' ? {} : { method: capture.method }),
  };
  return JSON.stringify(info).replace(/[^!-~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function exceptionOf({ error }: FailedCapture): { exception: string; exceptionMessage: string } {
  const exception = error.code === FROM_FAILURE_CACHE ? CACHED_FAILURE : error.code.replaceAll(' ', '_');
  return { exception, exceptionMessage: error.message.replaceAll(' ', '_') };
}

/** A URL with its host as IDNA has it and everything else percent-encoded that may not stand in a URL (RFC 3986 §2). */
function asciiUrl(url: string): string {
  const named = url.replace(/^([a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?)([^/?#:@[\]]+)/i, (whole, start: string, host: string) => {
    const ascii = /[^\0-\x7f]/.test(host) ? domainToASCII(host) : host;
    return ascii === '' ? whole : start + ascii;
  });
  return encode(utf8Bytes(named), /[^A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]/g);
}

/**
 * Printable ASCII as it is, everything else percent-encoded.
 *
 * @param encoding header fields come in Latin-1, one character for each byte; what comes in JSON is text
 */
function escaped(text: string, encoding: 'latin1' | 'utf8' = 'utf8'): string {
  return encode(encoding === 'utf8' ? utf8Bytes(text) : text, /[^!-~]/g);
}

function orDash(text: string): string {
  return text === '' ? '-' : text;
}

/** `YYYYMMDDhhmmssmmm` in UTC */
function digits(date: Date): string {
  return date.toISOString().replace(/\D/g, '');
}
