/**
 * The web page: its paths, its files, and what a visitor's browser asks for.
 *
 * Source: spec/circe.md §7.
 */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openPieces } from './archive.ts';
import { badArchive, Refusal } from './errors.ts';
import type { Intake } from './intake.ts';
import { JOB_FILE, jobFileText, MAX_JSON_BYTES, parseSteps, type Step } from './job-file.ts';
import type { Hex } from './job-id.ts';
import { removeFolder } from './clean-up.ts';
import type { JobStore } from './job-store.ts';
import { LOG_FILE } from './out-log.ts';
import { packInto, type Packed } from './pack.ts';
import { htmlReply, jsonReply, reply, textReply } from './replies.ts';
import type { ResultWatch } from './result-watch.ts';
import type { Routes } from './routes.ts';
import { statusOf, streamReply } from './server.ts';
import type { Session, Sessions } from './sessions.ts';
import { readTar } from './tar-read.ts';
import { receiveFiles, type UploadLimits } from './upload.ts';
import { zipOf } from './zip.ts';

export interface WebPageOptions {
  readonly sessions: Sessions;
  readonly store: JobStore;
  readonly intake: Intake;
  readonly results: ResultWatch;
  readonly limits: UploadLimits;
}

/** In the package, beside `src` and `dist`. */
const ASSETS = new URL('./page/', import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};
/** Nothing from elsewhere, and nobody else's frame around it. */
const POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const HEADERS = { 'content-security-policy': POLICY, 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };
/** Of a log that is shown. */
const SHOWN_LOG_BYTES = 1024 * 1024;

/** @throws the system's error when files of the page are missing */
export async function createWebPage(options: WebPageOptions): Promise<Routes> {
  const { sessions, store, intake, results, limits } = options;
  const assets = new Map<string, Buffer>();
  for (const name of await readdir(ASSETS)) assets.set(name, await readFile(new URL(name, ASSETS)));
  const page = assets.get('index.html')?.toString() ?? '';
  assets.delete('index.html');
  /** jobs of sessions that run here */
  const running = new Map<string, Hex>();
  const sessionOf = (request: Request) => sessions.of(request.headers.get('cookie'));

  const convert = async (session: Session, steps: readonly Step[]): Promise<void> => {
    const folder = await sessions.takeFiles(session);
    if (folder === undefined) throw new Refusal(400, 'Bad Request');
    const archive = `${folder}.tar.gz`;
    try {
      await packInto(archive, await membersOf(folder, steps));
      const { hex } = await intake.adopt(archive);
      running.set(session.id, hex);
      if (!(await results.wait(hex))) throw new Refusal(503, 'the service is being stopped');
      await rm(session.result, { force: true });
      await store.keepResult(hex, session.result);
    } finally {
      running.delete(session.id);
      await rm(archive, { force: true });
      await removeFolder(folder);
    }
  };

  return {
    'GET /ui/': async (request) =>
      htmlReply(page, { ...HEADERS, 'cache-control': 'no-store', 'set-cookie': await sessions.begin(request.headers.get('cookie')) }),
    'GET /upload/': () => jsonReply([]),
    'POST /upload/': async (request) => {
      const session = sessionOf(request);
      const names = await receiveFiles(request, await sessions.filesOf(session), limits);
      return textReply(names.join('\n'));
    },
    'POST /webui/setjob/': async (request) => {
      const session = sessionOf(request);
      const steps = parseSteps(await bytesOf(request));
      // The job goes on when its visitor has left.
      await convert(session, steps);
      return textReply('ok');
    },
    'GET /webui/status/': async (request) => {
      const { id } = sessionOf(request);
      const hex = running.get(id);
      return jsonReply(hex === undefined ? { state: 'none' } : await statusOf(store, hex, hex));
    },
    'GET /webui/log/': async (request) => textReply(await logOf(sessionOf(request).result)),
    'GET /webui/fetchjob/': async (request) => {
      const { id, result } = sessionOf(request);
      if ((await stat(result).catch(() => undefined)) === undefined) throw new Refusal(404, 'Not Found');
      const headers = { 'content-type': 'application/zip', 'content-disposition': `attachment; filename="${id}.zip"` };
      return streamReply(await zipOf(result), headers);
    },
    'GET /static/:name': (_, parameter) => {
      const content = assets.get(parameter('name'));
      if (content === undefined) throw new Refusal(404, 'Not Found');
      const type = TYPES[parameter('name').split('.').at(-1) ?? ''] ?? 'application/octet-stream';
      return reply(content, type, 200, { ...HEADERS, 'cache-control': 'no-cache' });
    },
  };
}

async function membersOf(folder: string, steps: readonly Step[]): Promise<Packed[]> {
  const job = Buffer.from(jobFileText({ transformations: steps, notifyHook: undefined }));
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  return [
    { name: JOB_FILE, kind: 'bytes', bytes: job },
    ...names.map((name): Packed => ({ name, kind: 'file', path: join(folder, name) })),
  ];
}

async function bytesOf(request: Request): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  if (request.body !== null) {
    for await (const piece of request.body as AsyncIterable<Uint8Array>) {
      if ((size += piece.length) > MAX_JSON_BYTES) throw badArchive(`expected at most ${MAX_JSON_BYTES} bytes of JSON`);
      pieces.push(piece);
    }
  }
  return Buffer.concat(pieces);
}

/** The lines of a result's log, as they are. @throws Refusal when there is no result */
async function logOf(result: string): Promise<string> {
  try {
    for await (const { name, content } of readTar(await openPieces(result), Infinity)) {
      if (name !== LOG_FILE) continue;
      const pieces: Buffer[] = [];
      let size = 0;
      for await (const piece of content()) if ((size += piece.length) <= SHOWN_LOG_BYTES) pieces.push(piece);
      return Buffer.concat(pieces).toString();
    }
    return '';
  } catch (error) {
    throw new Refusal(404, 'Not Found', error);
  }
}
