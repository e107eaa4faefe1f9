/** The helper in a process of its own, and a server that records what it is asked. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

export const READY = '{"type":"ready","content":"waiting for credentials"}';
export const KEY_ID = '111111111111111111111111';

export interface Helper {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** its current folder */
  readonly dir: string;
  /** the next line of its output; undefined at its end */
  readonly next: () => Promise<string | undefined>;
  /** send a line, and read one */
  readonly ask: (request: unknown) => Promise<string | undefined>;
  /** exit code, signal and standard error */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; errors: string }>;
}

export interface Start {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly dir?: string;
  /** module to run, in the place of the helper's */
  readonly entry?: readonly string[];
}

const HERE = fileURLToPath(new URL('.', import.meta.url));

export function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'warctap-scraper-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export function start(t: TestContext, { args = [], env = {}, dir = folder(t), entry = [join(HERE, 'start.ts')] }: Start = {}): Helper {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), ...entry, ...args], {
    cwd: dir,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  child.stdin.on('error', () => undefined); // the helper may have gone
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const lines = createInterface({ input: child.stdout, crlfDelay: Infinity })[Symbol.asyncIterator]();
  const next = async () => {
    const line = (await lines.next()) as IteratorResult<string, undefined>;
    return line.value;
  };
  return {
    child,
    dir,
    next,
    ask: (request) => {
      child.stdin.write(`${typeof request === 'string' ? request : JSON.stringify(request)}\n`);
      return next();
    },
    ended: once(child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      errors,
    })),
  };
}

export interface Asked {
  /** method and path */
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface RtCv {
  readonly url: string;
  readonly asked: Asked[];
  /** by method and path: an answer in the place of the usual */
  readonly answers: Map<string, Answer>;
}

/** JSON with 200, or whatever it does with the response. */
type Answer = Readonly<Record<string, unknown>> | readonly unknown[] | string | ((response: ServerResponse, asked: Asked) => void);

const USUAL: Readonly<Record<string, Answer>> = {
  'GET /api/v1/health': { status: true },
  'GET /api/v1/auth/keyinfo': { roles: [{ role: 2 }, { role: 1, description: 'scraper' }] },
  'GET /api/v1/scraper/scannedReferenceNrs/since/days/30': ['known-1', 'known-3'],
  'POST /api/v1/scraper/scanCV': { hasMatches: true },
};

export async function startRtCv(t: TestContext): Promise<RtCv> {
  const asked: Asked[] = [];
  const answers = new Map<string, Answer>();
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const one = { line: `${request.method} ${request.url}`, headers: request.headers, body: Buffer.concat(pieces).toString() };
      asked.push(one);
      const answer = answers.get(one.line) ?? USUAL[one.line];
      if (typeof answer === 'function') return answer(response, one);
      response.statusCode = answer === undefined ? 404 : 200;
      response.end(typeof answer === 'string' ? answer : JSON.stringify(answer ?? { error: 'item not found' }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, answers };
}

export const credentials = (server: RtCv, more: object = {}) => ({
  server_location: server.url,
  api_key_id: KEY_ID,
  api_key: 'ddd',
  ...more,
});

/** A helper that has its credentials. */
export async function startKnown(t: TestContext, server: RtCv, how: Start = {}): Promise<Helper> {
  const helper = start(t, how);
  await helper.next();
  const answer = await helper.ask({ type: 'set_credentials', content: credentials(server) });
  if (answer !== '{"type":"ok"}') throw new Error(answer);
  server.asked.length = 0;
  return helper;
}
