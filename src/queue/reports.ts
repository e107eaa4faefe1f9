/**
 * Reports of workers: from JSON in either vocabulary to what is kept.
 *
 * | seed                      | published manager                        |
 * | ------------------------- | ---------------------------------------- |
 * | `status`: `200 OK`        | `status_code`: 200, `result`: `OK`       |
 * | `total_time`: seconds     | `total_time`, `fetch_time`: milliseconds |
 * | `content-body`: text      | `content`: Base64                        |
 *
 * Pure. Source: the wiki page "Heroshi programming interface" (September 2010) and the manager published after it.
 */
import { hash } from 'node:crypto';
import type { Visit } from './records.ts';
import { bad } from './refusal.ts';
import { timeIn } from './times.ts';
import { knownUrl, type KnownUrl } from './urls.ts';

/** A visit as its worker tells it. */
export type ReportedVisit = Omit<Visit, 'at' | 'received' | 'worker'> & { readonly at?: number };

export interface Report {
  /** undefined for the append form: links only */
  readonly found: KnownUrl | undefined;
  readonly visit: ReportedVisit | undefined;
  readonly parent: string | undefined;
  /** each once, without those that are no URL */
  readonly links: readonly KnownUrl[];
  /** of the page, for whoever looks for links in it */
  readonly body: Buffer | undefined;
}

export const MAX_REPORTS = 10_000;
export const MAX_LINKS = 100_000;
/** What is kept of one report: header fields, and what the protocol does not know. */
const MAX_HEADERS_CHARS = 16_384;
const MAX_OTHER_CHARS = 65_536;
/** Kept even if the others are too long: conditional requests and the page's type need them. */
const NEEDED_HEADERS = new Set(['etag', 'last-modified', 'content-type']);
const MAX_NEEDED_CHARS = 2048;
const MAX_RESULT_CHARS = 1024;

const KNOWN_FIELDS = new Set(
  (
    'url key parent status status_code result headers total_time fetch_time content-body content content_length content_digest visited ' +
    'redirects links success cached'
  ).split(' '),
);

/** One report, or a list of them. @throws Refusal */
export function readReports(value: unknown): Report[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > MAX_REPORTS) throw bad(`at most ${MAX_REPORTS} reports in one request, got ${list.length}`);
  const reports = list.map((each, index) => readReport(each, Array.isArray(value) ? `report ${index + 1}: ` : ''));
  const links = reports.reduce((sum, report) => sum + report.links.length, 0);
  if (links > MAX_LINKS) throw bad(`at most ${MAX_LINKS} links in one request, got ${links}`);
  return reports;
}

function readReport(value: unknown, which: string): Report {
  const refuse = (line: string): never => {
    throw bad(`${which}${line}`);
  };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse('a report must be a JSON object');
  const fields = value as Readonly<Record<string, unknown>>;
  const links = linksOf(fields.links, refuse);
  const text = fields.url ?? fields.key;
  if (fields.url === null && fields.key === undefined && fields.links !== undefined) {
    return { found: undefined, visit: undefined, parent: undefined, links, body: undefined };
  }
  if (typeof text !== 'string') return refuse('url must be a string');
  const found = knownUrl(text) ?? refuse(`url must be an http or https URL, got ${JSON.stringify(text.slice(0, 200))}`);
  const { status_code, result, body, totalTime } = Object.hasOwn(fields, 'status') ? seed(fields, refuse) : published(fields, refuse);
  const headers = headersOf(fields.headers, refuse);
  const visited = visitedOf(fields.visited, refuse);
  const other = otherOf(fields, refuse);
  const fetchTime = timeOf(fields.fetch_time, 'fetch_time', refuse);
  const parent = typeof fields.parent === 'string' ? knownUrl(fields.parent)?.url : undefined;
  return {
    found,
    parent,
    links,
    body,
    visit: {
      ...(visited === undefined ? {} : { at: visited.ms, visited: visited.text }),
      status_code,
      result: result.slice(0, MAX_RESULT_CHARS),
      headers: bounded(headers),
      ...(fetchTime === undefined ? {} : { fetch_time: fetchTime }),
      ...(totalTime === undefined ? {} : { total_time: totalTime }),
      ...bodyOf(fields, headers, body, refuse),
      ...(Array.isArray(fields.redirects) ? { redirects: fields.redirects as unknown[] } : {}),
      ...(other === undefined ? {} : { other }),
    },
  };
}

type Refuse = (line: string) => never;

interface Outcome {
  readonly status_code: number | null;
  readonly result: string;
  readonly body: Buffer | undefined;
  /** milliseconds */
  readonly totalTime: number | undefined;
}

function seed({ status, 'content-body': content, total_time }: Readonly<Record<string, unknown>>, refuse: Refuse): Outcome {
  if (typeof status !== 'string') return refuse('status must be a text such as "200 OK"');
  const [, code, result = status] = /^(\d{3})(?!\d)\s*(.*)$/s.exec(status.trim()) ?? [];
  if (content !== undefined && content !== null && typeof content !== 'string') return refuse('content-body must be a text');
  const seconds = timeOf(total_time, 'total_time', refuse);
  return {
    status_code: code === undefined ? null : Number(code),
    result,
    body: typeof content === 'string' ? Buffer.from(content) : undefined,
    totalTime: seconds === undefined ? undefined : Math.round(seconds * 1000),
  };
}

function published({ status_code = null, result, content, total_time }: Readonly<Record<string, unknown>>, refuse: Refuse): Outcome {
  if (status_code !== null && !Number.isSafeInteger(status_code)) return refuse('status_code must be a whole number or null');
  if (result !== undefined && result !== null && typeof result !== 'string') return refuse('result must be a text');
  return {
    status_code: status_code as number | null,
    result: typeof result === 'string' ? result : '',
    body: content === undefined || content === null ? undefined : base64(content, refuse),
    totalTime: timeOf(total_time, 'total_time', refuse),
  };
}

/** With or without line breaks, as Python writes it. Source: RFC 4648 §4. */
function base64(content: unknown, refuse: Refuse): Buffer {
  const packed = typeof content === 'string' ? content.replace(/[\r\n]+/g, '') : '***';
  if (packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(packed)) return refuse('content is not base64');
  return Buffer.from(packed, 'base64');
}

function timeOf(value: unknown, name: string, refuse: Refuse): number | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : refuse(`${name} must be a number, at least 0`);
}

function visitedOf(value: unknown, refuse: Refuse): { readonly ms: number; readonly text: string } | undefined {
  if (value === undefined || value === null) return undefined;
  const ms = typeof value === 'string' ? timeIn(value) : undefined;
  if (ms === undefined) return refuse('visited must be a UTC time such as 2026-01-05T10:00:00, or null');
  return { ms, text: value as string };
}

function headersOf(value: unknown, refuse: Refuse): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse('headers must be an object');
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, typeof each === 'string' ? each : jsonOf(each, refuse)]));
}

function bounded(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (JSON.stringify(headers).length <= MAX_HEADERS_CHARS) return headers;
  return Object.fromEntries(
    Object.entries(headers).filter(([name, value]) => NEEDED_HEADERS.has(name.toLowerCase()) && value.length <= MAX_NEEDED_CHARS),
  );
}

/** Length, type and digest: of the body, or, where a worker keeps that to itself, as it says. */
function bodyOf(
  { content_length, content_digest }: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>>,
  body: Buffer | undefined,
  refuse: Refuse,
): Pick<Visit, 'length' | 'type' | 'digest'> {
  const type = Object.entries(headers)
    .find(([name]) => name.toLowerCase() === 'content-type')?.[1]
    .slice(0, MAX_NEEDED_CHARS);
  const typed = type === undefined ? {} : { type };
  if (body !== undefined) return { length: body.length, ...typed, digest: `sha1:${hash('sha1', body)}` };
  const length = timeOf(content_length, 'content_length', refuse) ?? 0;
  if (!Number.isSafeInteger(length)) return refuse('content_length must be a whole number');
  const digest = typeof content_digest === 'string' ? { digest: content_digest.slice(0, 200) } : {};
  return { length, ...typed, ...digest };
}

function otherOf(fields: Readonly<Record<string, unknown>>, refuse: Refuse): Readonly<Record<string, unknown>> | undefined {
  const other = Object.fromEntries(Object.entries(fields).filter(([name]) => !KNOWN_FIELDS.has(name)));
  const size = jsonOf([other, fields.redirects], refuse).length;
  if (size > MAX_OTHER_CHARS)
    return refuse(`redirects and unknown fields must not be longer than ${MAX_OTHER_CHARS} characters, got ${size}`);
  return Object.keys(other).length === 0 ? undefined : other;
}

/** What can be read can be too deep to be written. */
function jsonOf(value: unknown, refuse: Refuse): string {
  try {
    return JSON.stringify(value);
  } catch {
    return refuse('values are nested too deeply');
  }
}

function linksOf(value: unknown, refuse: Refuse): readonly KnownUrl[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return refuse('links must be an array of URLs');
  if (value.length > MAX_LINKS) return refuse(`at most ${MAX_LINKS} links in one request, got ${value.length}`);
  return distinct(value.map(knownUrl));
}

/** Each once, without what is none. */
export function distinct(urls: readonly (KnownUrl | undefined)[]): KnownUrl[] {
  return [...new Map(urls.filter((each) => each !== undefined).map((each) => [each.id, each])).values()];
}
