/** A queue manager in a folder of its own, and callers of it over HTTP. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolve } from '../../src/options/resolve.ts';
import type { Options } from '../../src/options/row.ts';
import { QUEUE_ROWS } from '../../src/options/rows/queue.ts';
import { startQueueManager } from '../../src/programs/queue.ts';
import { silentLog, type Log } from '../../src/util/log.ts';
import { atExit } from '../support/at-exit.ts';

export const ADMIN = 'admin:correct-horse-battery';
export const BORIS = 'boris:foo-bar-long-key';
export const INGA = 'inga:another-long-key-0';

export interface Said {
  readonly status: number;
  /** names in lower case */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
  readonly text: string;
  /** the body as JSON */
  readonly json: unknown;
}

export interface Asking {
  readonly method?: string;
  readonly key?: string | readonly string[] | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** One request on a connection of its own. */
export function ask(base: string, path: string, { method, key, headers = {}, body }: Asking = {}): Promise<Said> {
  const { hostname, port } = new URL(base);
  return new Promise((done, fail) => {
    const request = httpRequest({
      hostname,
      port,
      path,
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      agent: false,
      headers: {
        ...(key === undefined ? {} : { 'X-Heroshi-Auth': key as string }),
        // Node's client says no length for a DELETE.
        ...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
        ...headers,
      },
    });
    request.on('error', fail);
    request.on('response', (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', fail);
      response.on('end', () => {
        const bytes = Buffer.concat(pieces);
        const text = bytes.toString();
        done({
          status: response.statusCode ?? 0,
          headers: response.headers,
          bytes,
          text,
          get json(): unknown {
            return JSON.parse(text) as unknown;
          },
        });
      });
    });
    request.end(body);
  });
}

export interface TestQueue extends AsyncDisposable {
  readonly url: string;
  readonly folder: string;
  /** as the administrator */
  readonly admin: (path: string, asking?: Asking) => Promise<Said>;
  /** as boris, whose key is known */
  readonly boris: (path: string, asking?: Asking) => Promise<Said>;
  readonly inga: (path: string, asking?: Asking) => Promise<Said>;
  readonly close: () => Promise<void>;
}

/** @param folder of an earlier one, to go on with its database */
export async function startQueue(
  options: Options<typeof QUEUE_ROWS> = {},
  folder = temporaryFolder(),
  log: Log = silentLog,
): Promise<TestQueue> {
  const settings = resolve(QUEUE_ROWS, { port: 0, db: join(folder, 'queue.db'), ...options });
  const manager = await startQueueManager({ options: settings, adminKey: ADMIN, log });
  const { url } = manager;
  const as =
    (key: string) =>
    (path: string, asking: Asking = {}) =>
      ask(url, path, { key, ...asking });
  for (const key of [BORIS, INGA]) await as(ADMIN)('/api-keys', { body: key });
  return {
    url,
    folder,
    admin: as(ADMIN),
    boris: as(BORIS),
    inga: as(INGA),
    close: () => manager.close(),
    [Symbol.asyncDispose]: () => manager.close(),
  };
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'warctap-queue-'));
  atExit(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const json = (value: unknown): Asking => ({ body: JSON.stringify(value), headers: { 'Content-Type': 'application/json' } });

/** The URLs that a worker is given. */
export async function take(as: TestQueue['boris'], limit: number): Promise<string[]> {
  const said = await as('/crawl-queue', { body: `limit=${limit}` });
  return (said.json as { url: string }[]).map(({ url }) => url);
}

export const add = (queue: TestQueue, ...urls: readonly (string | object)[]): Promise<Said> => queue.admin('/temp-new-links', json(urls));

export const report = (as: TestQueue['boris'], value: unknown): Promise<Said> => as('/report', { ...json(value), method: 'PUT' });

export const done = (url: string, more: object = {}): object => ({ url, status: '200 OK', headers: {}, total_time: 0.5, ...more });

export interface Statistics {
  readonly workers: readonly {
    readonly key: string;
    readonly name: string;
    readonly uptime: number;
    readonly 'crawled-urls': number;
    readonly 'crawled-sites': number;
  }[];
  readonly uptime: number;
  readonly 'crawled-urls': number;
  readonly 'recieved-KB': number;
  readonly 'received-KB': number;
}

export const statistics = async (queue: TestQueue, query = ''): Promise<Statistics> =>
  (await queue.admin(`/statistics${query}`)).json as Statistics;

export interface Looked {
  readonly state: string;
  readonly worker: string | null;
  readonly parent: string | null;
  readonly report: Readonly<Record<string, unknown>>;
}

/** What is known of a URL. */
export async function look(queue: TestQueue, url: string): Promise<Looked> {
  const { urls } = (await queue.admin(`/urls?url=${encodeURIComponent(url)}`)).json as { urls: readonly Looked[] };
  return urls[0]!;
}
