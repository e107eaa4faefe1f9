/** What a scraper asks for: each request has one answer. */
import { LONG_MS, ReferenceCache, SHORT_MS } from './cache.ts';
import { readCredentials } from './credentials.ts';
import type { DebugLog } from './debug-files.ts';
import { membersOf } from './json-text.ts';
import { errorAnswer, isObject, ScraperError, type Answer, type Request } from './message.ts';
import { anySecret, readSecretName, userSecret, usersSecret } from './secrets.ts';
import { Server } from './server.ts';

/** Text of a JSON value, or undefined for none. */
type Content = string | undefined;
type Method = (client: ScraperClient, content: Content) => Promise<Content> | Content;

const OK: Content = undefined;

export interface ClientParts {
  readonly debug?: DebugLog;
  /** milliseconds of a clock that nobody sets */
  readonly now?: () => number;
  /** between attempts */
  readonly pausesMs?: readonly number[];
}

export class ScraperClient {
  readonly #cache: ReferenceCache;
  readonly #debug: DebugLog | undefined;
  readonly #pausesMs: readonly number[] | undefined;
  #servers: readonly { readonly server: Server; readonly primary: boolean }[] = [];
  /** by name, the text of their values; undefined when this is no mock */
  #mock: ReadonlyMap<string, string> | undefined;

  constructor({ debug, now, pausesMs }: ClientParts = {}) {
    this.#cache = new ReferenceCache(now);
    this.#debug = debug;
    this.#pausesMs = pausesMs;
  }

  /** Never throws. */
  async answer({ type, content }: Request): Promise<Answer> {
    if (type === 'ping') return { type: 'pong' };
    const method = METHODS.get(type);
    try {
      if (method === undefined) throw new ScraperError(`unknown message type ${type}`);
      const result = await method(this, content);
      return { type: 'ok', ...(result === undefined ? {} : { content: result }) };
    } catch (error) {
      return errorAnswer(error instanceof Error ? error.message : String(error));
    }
  }

  async authenticate(content: unknown, forms: 'one' | 'several'): Promise<void> {
    this.#servers = [];
    const servers = readCredentials(content, forms).map((each) => ({ server: new Server(each, this.#pausesMs), primary: each.primary }));
    for (const { server } of servers) await server.check();
    const references = (await servers.find(({ primary }) => primary)?.server.scannedReferences()) ?? [];
    this.#debug?.authenticated(references);
    for (const each of references) this.#cache.add(each, LONG_MS);
    this.#servers = servers;
    this.#mock = undefined;
  }

  mock(content: Content): void {
    const value: unknown = content === undefined ? {} : JSON.parse(content);
    if (value !== null && !isObject(value)) throw new ScraperError('content is expected to be an object');
    const secrets = membersOf(content ?? '').get('secrets') ?? 'null';
    const parsed: unknown = JSON.parse(secrets);
    if (parsed !== null && !isObject(parsed)) throw new ScraperError('secrets is expected to be an object');
    this.#mock = membersOf(secrets);
    this.#servers = [];
  }

  /** @param cv text of the document. @returns whether it matched; undefined when it was known */
  async send(cv: Content): Promise<boolean | undefined> {
    const { reference, text } = documentOf(cv);
    if (this.#cache.has(reference)) return undefined;
    const matched = this.#mock !== undefined || (await this.#scan(text));
    if (matched) this.#cache.add(reference, LONG_MS);
    return matched;
  }

  /** By all of them, in order; the primary's word counts. */
  async #scan(text: string): Promise<boolean> {
    if (this.#servers.length === 0) throw new ScraperError(NO_CREDENTIALS);
    let matched = false;
    for (const { server, primary } of this.#servers) {
      const matches = await server.scan(text);
      if (primary) matched = matches;
    }
    return matched;
  }

  /** Text of a JSON value. */
  async secret(content: unknown, defaultKey: string): Promise<string> {
    const name = readSecretName(content, defaultKey);
    if (this.#mock !== undefined) return this.#mock.get(name.key) ?? 'null';
    const primary = this.#servers.find((each) => each.primary);
    if (primary === undefined) throw new ScraperError(NO_CREDENTIALS);
    return primary.server.secret(name);
  }

  remember(content: unknown, forMs: number): void {
    this.#cache.add(readReference(content), forMs);
  }

  knows(content: unknown): boolean {
    const reference = readReference(content);
    const known = this.#cache.has(reference);
    this.#debug?.lookedUp(reference, known);
    return known;
  }
}

const NO_CREDENTIALS = 'missing credentials, call set_credentials before this method';

function readReference(content: unknown): string {
  if (content !== null && typeof content !== 'string') throw new ScraperError('content is expected to be a string, the reference number');
  if (content === null || content === '') throw new ScraperError('reference number cannot be an empty string');
  return content;
}

/** @returns the reference number, and the text to be sent: the server needs it as `referenceNumber` */
function documentOf(cv: Content): { reference: string; text: string } {
  const value: unknown = cv === undefined ? undefined : JSON.parse(cv);
  if (cv === undefined || (value !== null && !isObject(value))) throw new ScraperError('cv expected to be an object');
  const fields = value ?? {};
  const name = ['referenceNumber', 'reference_number'].find((each) => Object.hasOwn(fields, each));
  if (name === undefined) throw new ScraperError('referenceNumber field does not exists');
  const reference = fields[name];
  if (typeof reference !== 'string') throw new ScraperError('referenceNumber is expected to be a string');
  if (reference === '') throw new ScraperError('reference number cannot be an empty string');
  const added = name === 'referenceNumber' ? '' : `"referenceNumber":${JSON.stringify(reference)},`;
  return { reference, text: added === '' ? cv : cv.replace('{', () => `{${added}`) };
}

/** The content's value. @throws ScraperError without any */
function valueOf(content: Content): unknown {
  if (content === undefined) throw new ScraperError('content is missing');
  return JSON.parse(content);
}

const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['set_credentials', async (client, content) => (await client.authenticate(valueOf(content), 'one'), OK)],
  ['set_multiple_credentials', async (client, content) => (await client.authenticate(valueOf(content), 'several'), OK)],
  ['set_mock', (client, content) => (client.mock(content), OK)],
  [
    'send_cv',
    async (client, content) => {
      const matched = await client.send(content);
      return matched === undefined ? OK : String(matched);
    },
  ],
  ['get_secret', async (client, content) => anySecret(await client.secret(valueOf(content), ''))],
  ['get_users_secret', async (client, content) => usersSecret(await client.secret(valueOf(content), 'users'))],
  ['get_user_secret', async (client, content) => userSecret(await client.secret(valueOf(content), 'user'))],
  ['set_cached_reference', (client, content) => (client.remember(valueOf(content), LONG_MS), OK)],
  ['set_short_cached_reference', (client, content) => (client.remember(valueOf(content), SHORT_MS), OK)],
  ['has_cached_reference', (client, content) => String(client.knows(valueOf(content)))],
]);
