/**
 * One RT-CV server: its five endpoints, and how a request to it fails.
 *
 * Never through the archiving proxy, as what goes by holds keys and what people tell about themselves: direct, or through the proxy that
 * RTCV_SCRAPER_CLIENT_PROXY names.
 */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { readVersion } from '../util/version.ts';
import { isObject, ScraperError } from './message.ts';
import type { Credentials } from './credentials.ts';

/** Before the second attempt, the third and the fourth. */
const PAUSES_MS = [2_000, 4_000, 6_000];
/** For an attempt, its answer included. */
const ATTEMPT_MS = 30_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_SHOWN_CHARACTERS = 64 * 1024;
const SCRAPER_ROLE = 1;

interface Asked {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  /** what stands for the path in messages */
  readonly shownPath?: string;
  readonly body?: string;
  /** what no message may hold, beside the key */
  readonly secrets?: readonly string[];
}

export interface SecretName {
  readonly key: string;
  readonly encryptionKey: string;
}

export class Server {
  readonly #base: string;
  readonly #authorization: string;
  readonly #secrets: readonly string[];
  readonly #pausesMs: readonly number[];

  constructor({ serverLocation, apiKeyId, apiKey }: Credentials, pausesMs: readonly number[] = PAUSES_MS) {
    this.#base = serverLocation.replace(/\/+$/, '');
    const hash = createHash('sha512').update(apiKey).digest('hex');
    // No base64: the server wants it so.
    this.#authorization = `Basic ${apiKeyId}:${hash}`;
    this.#secrets = [hash, apiKey];
    this.#pausesMs = pausesMs;
  }

  /** That it is there, and lets this key scrape. @throws ScraperError */
  async check(): Promise<void> {
    await this.#ask({ path: '/api/v1/health' });
    const info = parsed(await this.#ask({ path: '/api/v1/auth/keyinfo' }));
    const roles: unknown = isObject(info) ? info.roles : undefined;
    const isScraper = Array.isArray(roles) && roles.some((each) => isObject(each) && each.role === SCRAPER_ROLE);
    if (!isScraper) throw new ScraperError('provided key does not have scraper role (nr 1)');
  }

  /** Reference numbers of the last 30 days. @throws ScraperError */
  async scannedReferences(): Promise<readonly string[]> {
    const list = parsed(await this.#ask({ path: '/api/v1/scraper/scannedReferenceNrs/since/days/30' }));
    if (Array.isArray(list) && list.every((each) => typeof each === 'string')) return list;
    throw new ScraperError('the server is expected to answer a list of reference numbers');
  }

  /** @param cv text of the document. @returns whether it matches. @throws ScraperError */
  async scan(cv: string): Promise<boolean> {
    const answer = parsed(await this.#ask({ method: 'POST', path: '/api/v1/scraper/scanCV', body: `{"cv":${cv}}` }));
    const matches = isObject(answer) ? (answer.hasMatches ?? false) : undefined;
    if (typeof matches !== 'boolean') throw new ScraperError('the server is expected to answer an object with hasMatches');
    return matches;
  }

  /** @returns text of a JSON value. @throws ScraperError */
  async secret({ key, encryptionKey }: SecretName): Promise<string> {
    const [first, second] = [segment('key', key), segment('encryption_key', encryptionKey)];
    const path = `/api/v1/secrets/myKey/${first}/`;
    const text = await this.#ask({ path: path + second, shownPath: `${path}***`, secrets: [encryptionKey, second] });
    parsed(text);
    return text;
  }

  /** @returns the body. @throws ScraperError */
  async #ask(asked: Asked): Promise<string> {
    try {
      return await this.#answerTo(asked);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new ScraperError(without(message, [...this.#secrets, ...(asked.secrets ?? [])]), { cause: error });
    }
  }

  async #answerTo({ method = 'GET', path, shownPath = path, body }: Asked): Promise<string> {
    const { fetch } = await import('undici');
    const place = `${method} ${this.#base}${shownPath}`;
    for (let attempt = 0; ; attempt++) {
      const signal = AbortSignal.timeout(ATTEMPT_MS);
      let response;
      try {
        response = await fetch(this.#base + path, {
          method,
          headers: {
            Authorization: this.#authorization,
            'Content-Type': 'application/json',
            'User-Agent': `rtcv_scraper_client/${readVersion()}`,
          },
          body: body ?? null,
          dispatcher: await way(),
          signal,
        });
      } catch (error) {
        const waitMs = this.#pausesMs[attempt];
        if (waitMs === undefined) throw new ScraperError(`${place}: ${reasonOf(error)}, retried ${attempt + 1} times`, { cause: error });
        await pause(waitMs);
        continue;
      }
      const text = await bodyOf(response.body, place);
      if (response.status < 400 || response.status > 599) return text;
      throw new ScraperError(refusal(response.status, text));
    }
  }
}

async function bodyOf(body: AsyncIterable<Uint8Array> | null, place: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const piece of body ?? []) {
      bytes += piece.length;
      if (bytes > MAX_ANSWER_BYTES) throw new ScraperError(`${place}: the answer has more than 64 MiB`);
      pieces.push(piece);
    }
  } catch (error) {
    throw error instanceof ScraperError ? error : new ScraperError(`${place}: the answer broke off: ${reasonOf(error)}`, { cause: error });
  }
  return Buffer.concat(pieces).toString();
}

/** What the server says of a request that it refused. */
function refusal(status: number, body: string): string {
  let said: unknown;
  try {
    const answer: unknown = JSON.parse(body);
    said = isObject(answer) ? answer.error : undefined;
  } catch {
    // no JSON: shown as it is
  }
  return typeof said === 'string' && said !== ''
    ? said
    : `server returned ${status} code, with body ${body.slice(0, MAX_SHOWN_CHARACTERS)}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ScraperError('the server is expected to answer JSON'); // and not shown: it may be a secret
  }
}

/** @throws ScraperError for what no URL can hold as a segment */
function segment(field: string, text: string): string {
  if (text === '.' || text === '..') throw new ScraperError(`${field} cannot be ${JSON.stringify(text)}`);
  return encodeURIComponent(Buffer.from(text).toString());
}

/** undici's errors say "fetch failed", and what failed in their cause; of several addresses each has its own. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${ATTEMPT_MS / 1000} seconds`;
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ');
  return error.cause === undefined ? error.message.replace(/\s+/g, ' ') : reasonOf(error.cause);
}

function without(message: string, secrets: readonly string[]): string {
  return secrets.filter((secret) => secret !== '').reduce((text, secret) => text.replaceAll(secret, '***'), message);
}

let dispatcher: Promise<Dispatcher> | undefined;

/** Connections of all servers. */
function way(): Promise<Dispatcher> {
  dispatcher ??= (async () => {
    const [{ Agent, ProxyAgent }, { trustedCertificates }] = await Promise.all([import('undici'), import('./trust.ts')]);
    const proxy = process.env.RTCV_SCRAPER_CLIENT_PROXY;
    const trust = { ca: trustedCertificates() };
    return proxy === undefined || proxy === ''
      ? new Agent({ connect: trust })
      : new ProxyAgent({ uri: proxy, requestTls: trust, proxyTls: trust });
  })();
  return dispatcher;
}
