/**
 * `CdxServerDedupLoader`: asks a CDX server whether its latest capture of the URL has the same payload.
 *
 * Waits for no answer longer than its time-out and never asks twice: whatever goes wrong means "no duplicate", and is counted. A server that
 * has let it wait in vain keeps nobody waiting any more: one question at a time finds out whether it answers again. Of a cut response it does
 * not ask, because the server cannot say whether its own was cut, too.
 * Source: spec/warcprox.md §4 (CDX server dedup); what is sent is what warcprox sends.
 */
import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { once } from 'node:events';
import { base32 } from '@scure/base';
import { LRUCache } from 'lru-cache';
import type { Capture, ExchangeCapture } from '../capture/capture.ts';
import type { Original } from '../store/dedup.ts';
import type { Log } from '../util/log.ts';
import { codeOf } from '../util/thrown.ts';
import { isToBeArchived } from './decision.ts';
import { isDedupable, type DedupRules } from './dedup-rules.ts';
import type { Processor } from './processor.ts';

export interface CdxDedupLoaderOptions {
  /** such as `https://web.archive.org/cdx/search` */
  readonly url: string;
  /** value of the Cookie field */
  readonly cookies: string | undefined;
  readonly maxRequests: number;
  readonly rules: DedupRules;
  /** as the WARC writer has them */
  readonly methods: readonly string[];
  /** for one answer, from connecting to its last byte */
  readonly timeoutMs?: number;
  readonly log: Log;
}

export interface CdxDedupLoader extends Processor {
  /** captures whose question failed */
  readonly errors: number;
}

interface Question {
  readonly key: string;
  readonly url: string;
  readonly digest: string;
  readonly captures: ExchangeCapture[];
}

const TIMEOUT_MS = 2000;
/** Code of the error when no answer came in time, as the system's own. */
const LATE = 'ETIMEDOUT';
const CACHED_ANSWERS = 1024;
/** The one line that is expected has less than a hundred. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** URLs that are different for every visitor. */
const SESSION = /JSESSIONID=|session=|sess=/;
/** A record id that is not known. */
const NO_ID = '';

export function cdxDedupLoader(options: CdxDedupLoaderOptions): CdxDedupLoader {
  const { maxRequests, rules, log } = options;
  const wanted = new Set(options.methods);
  const answers = new LRUCache<string, { readonly original: Original | undefined }>({ max: CACHED_ANSWERS });
  const server = cdxServer(options);
  let errors = 0;
  let failing = false;
  /** it has not answered in time */
  let hanging = false;
  let probe: Promise<void> | undefined;

  /** Answer from the cache; @returns what it does not know, each question once */
  const openQuestions = (batch: readonly Capture[]): readonly Question[] => {
    const questions = new Map<string, Question>();
    for (const capture of batch) {
      if (!isToBeArchived(capture, wanted) || !isDedupable(capture, rules)) continue;
      const { url, response } = capture;
      if (response.truncated !== undefined || SESSION.test(url)) continue;
      const key = `${response.payloadDigest} ${url}`;
      const answer = answers.get(key);
      const question = questions.get(key);
      if (answer !== undefined) capture.outcome.duplicateOf = answer.original;
      else if (question !== undefined) question.captures.push(capture);
      else questions.set(key, { key, url, digest: cdxDigest(response.payloadDigest), captures: [capture] });
    }
    return [...questions.values()];
  };

  const ask = async ({ key, url, digest, captures }: Question): Promise<void> => {
    try {
      const original = originalIn(await server.ask(url), url, digest);
      answers.set(key, { original });
      for (const { outcome } of captures) outcome.duplicateOf = original;
      if (failing) log.info({ url: options.url }, 'the CDX server answers again');
      failing = hanging = false;
    } catch (error) {
      errors += captures.length;
      hanging = codeOf(error) === LATE;
      if (failing) log.debug({ url, err: error }, 'the CDX server was asked in vain');
      else log.warn({ url, err: error }, `the CDX server cannot be asked, so no duplicates are found: ${(error as Error).message}`);
      failing = true;
    }
  };

  /** Without waiting: the first finds out whether there are answers again, and of none it is known whether they are duplicates. */
  const pass = (questions: readonly Question[]): void => {
    errors += questions.reduce((sum, { captures }) => sum + captures.length, 0);
    const [first] = questions;
    if (first !== undefined) probe ??= ask({ ...first, captures: [] }).finally(() => (probe = undefined));
  };

  return {
    name: 'CdxServerDedupLoader',
    get errors() {
      return errors;
    },
    process(batch) {
      const questions = openQuestions(batch);
      if (questions.length === 0) return;
      if (hanging) return pass(questions);
      const next = questions.values();
      const lane = async () => {
        for (const question of next) await ask(question);
      };
      return Promise.all(Array.from({ length: Math.min(maxRequests, questions.length) }, lane)).then(() => undefined);
    },
    close() {
      server.close();
      return Promise.resolve();
    },
  };
}

/** A CDX server: answers as text. */
function cdxServer({ url, cookies, maxRequests, timeoutMs = TIMEOUT_MS }: CdxDedupLoaderOptions) {
  const isSecure = /^https:/i.test(url);
  const agentOptions = { keepAlive: true, maxSockets: maxRequests };
  const agent = isSecure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
  // It knows its clients by these.
  const headers = { 'User-Agent': 'warcprox', ...(cookies === undefined ? {} : { Cookie: cookies }) };

  const send = (about: string, signal: AbortSignal): ClientRequest => {
    const query = new URLSearchParams({ url: about, fl: 'timestamp,digest', filter: '!mimetype:warc/revisit', limit: '-1' });
    const target = `${url}${url.includes('?') ? '&' : '?'}${query.toString()}`;
    return (isSecure ? httpsRequest : httpRequest)(target, { agent, headers, signal })
      .on('error', () => undefined)
      .end();
  };

  return {
    /** @throws when there is no answer with status 200 in time, or it is too large */
    async ask(about: string): Promise<string> {
      const timeout = AbortSignal.timeout(timeoutMs);
      try {
        return await readAnswer(send(about, timeout));
      } catch (error) {
        if (!timeout.aborted) throw error;
        throw Object.assign(new Error(`no answer within ${timeoutMs} ms`, { cause: error }), { code: LATE });
      }
    },
    close: () => agent.destroy(),
  };
}

async function readAnswer(request: ClientRequest): Promise<string> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) {
    response.destroy();
    throw new Error(`answered with status ${response.statusCode ?? 0}`);
  }
  let text = '';
  for await (const piece of response.setEncoding('latin1') as AsyncIterable<string>) {
    text += piece;
    // Leaving the loop ends the connection.
    if (text.length > MAX_ANSWER_BYTES) throw new Error(`answered with more than ${MAX_ANSWER_BYTES} bytes`);
  }
  return text;
}

/** @throws when the answer is not at most one line `TIMESTAMP14 DIGEST` */
function originalIn(answer: string, url: string, digest: string): Original | undefined {
  const line = answer.trim();
  if (line === '') return undefined;
  const [, timestamp = '', found] = /^(\S+) (\S+)$/.exec(line) ?? [];
  if (found === undefined) throw new Error(`answered with ${JSON.stringify(line.slice(0, 100))} instead of a timestamp and a digest`);
  if (found.replace(/^sha1:/, '') !== digest) return undefined;
  const date = timestamp.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3T$4:$5:$6Z');
  if (!isDate(date)) throw new Error(`answered with the timestamp ${JSON.stringify(timestamp.slice(0, 100))}`);
  return { recordId: NO_ID, url, date };
}

/** True for a WARC-Date to the second that is in the calendar. */
function isDate(text: string): boolean {
  const date = new Date(text);
  return !Number.isNaN(date.getTime()) && date.toISOString() === text.replace('Z', '.000Z');
}

/** A labelled digest as CDX servers write it: Base32 without the label `sha1:`. */
function cdxDigest(digest: string): string {
  const [label = '', value = ''] = digest.split(':', 2);
  const inBase32 = /^(?:[0-9a-f]{2})+$/.test(value) ? base32.encode(Buffer.from(value, 'hex')) : value;
  return label === 'sha1' ? inBase32 : `${label}:${inBase32}`;
}
