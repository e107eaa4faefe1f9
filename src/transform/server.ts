/**
 * The HTTP side of the service, as a fetch handler: takes jobs, says where they stand, hands out results. Runs none of them.
 *
 * Source: spec/circe.md §3.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { Log } from '../util/log.ts';
import { codeOf } from '../util/thrown.ts';
import type { Access } from './access.ts';
import { Refusal } from './errors.ts';
import { tooLarge, type Intake } from './intake.ts';
import { hexOf, type Hex } from './job-id.ts';
import type { JobStore, StateRecord } from './job-store.ts';
import { errorReply, htmlReply, jsonReply, textReply } from './replies.ts';
import type { ResultWatch } from './result-watch.ts';
import { createRouter, type Routes } from './routes.ts';
import type { Descriptions } from './transformation.ts';
import { zipOf } from './zip.ts';
import { timeOfDayMs } from '../util/time-of-day.ts';

export interface ServerOptions {
  readonly version: string;
  readonly store: JobStore;
  readonly intake: Intake;
  readonly results: ResultWatch;
  readonly access: Access;
  readonly descriptions: Descriptions;
  /** of `GET /transformations/` where it is not asked for descriptions */
  readonly format: 'array' | 'object';
  /** an application may fetch what another has sent */
  readonly sharedJobs: boolean;
  readonly resultTtlSeconds: number;
  readonly maxBody: number;
  /** of the web page; undefined where it is off */
  readonly webRoutes: Routes | undefined;
  readonly log: Log;
}

export function createServer(options: ServerOptions): (request: Request) => Promise<Response> {
  const { version, access, intake, results, store, webRoutes, log } = options;

  const submit = async (request: Request): Promise<Response> => {
    const signature = await access.check(request.headers.get('authorization'));
    if (Number(request.headers.get('content-length') ?? 0) > options.maxBody) throw tooLarge(options.maxBody);
    const { id, hex } = await intake.take(request.body ?? emptyBody(), signature);
    log.info({ job: id }, 'job queued');
    const headers = { 'x-circe-job': id };
    if ((new URL(request.url).searchParams.get('block') ?? '') === '') return textReply(id, 200, headers);
    if (!(await results.wait(hex)))
      return errorReply(request, 503, 'the service is being stopped, the job goes on at its next start', headers);
    return (await resultReply(hex, false, options, headers)) ?? notFound(request);
  };

  const fetchJob = async (request: Request): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url);
    const asked = pathname.slice('/job/'.length);
    const signature = await access.check(request.headers.get('authorization'));
    signature.update(asked);
    const application = signature.end();
    const hex = hexOf(asked);
    if (hex === undefined) return notFound(request);
    const owner = (await store.doneRecord(hex)) ?? (await store.record(hex)) ?? (await store.doneRecord(hex));
    const foreign = application !== undefined && owner?.application !== application && !options.sharedJobs;
    if (owner === undefined || foreign) return notFound(request);
    if (given(searchParams, 'status')) return jsonReply(await statusOf(store, hex, asked));
    const done = await resultReply(hex, given(searchParams, 'zip'), options);
    if (done !== undefined) return done;
    // It may have ended, and gone, while we looked.
    if ((await store.record(hex)) === undefined) return (await resultReply(hex, given(searchParams, 'zip'), options)) ?? notFound(request);
    return textReply('Accepted', 202, { 'retry-after': '1' });
  };

  return createRouter(
    {
      'GET /': () => (webRoutes === undefined ? htmlReply(FRONT_PAGE) : new Response(null, { status: 302, headers: { location: '/ui/' } })),
      'GET /version/': () => textReply(version),
      'GET /transformations/': (request) => {
        const asObject = options.format === 'object' || given(new URL(request.url).searchParams, 'descriptions');
        return jsonReply(asObject ? options.descriptions : Object.keys(options.descriptions).sort());
      },
      'POST /job/': submit,
      'GET /job/:id': fetchJob,
      ...(webRoutes ?? {}),
    },
    log,
  );
}

const FRONT_PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>warctap transform</title>
<p>This is the document transformation service of warctap. It is used by programs: see <code>GET /transformations/</code>.</p></html>
`;

/** Any text but an empty one, and `0` as well. */
function given(parameters: URLSearchParams, name: string): boolean {
  return (parameters.get(name) ?? '') !== '';
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {
  // nothing
}

function notFound(request: Request): Response {
  return errorReply(request, 404, 'Not Found');
}

/** @returns undefined when there is no result, or none any more */
async function resultReply(
  hex: Hex,
  asZip: boolean,
  { store, resultTtlSeconds }: Pick<ServerOptions, 'store' | 'resultTtlSeconds'>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response | undefined> {
  const file = store.done(hex);
  let size: number;
  try {
    const found = await stat(file);
    if (timeOfDayMs() - found.mtimeMs > resultTtlSeconds * 1000) return undefined;
    size = found.size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const status = (await store.doneRecord(hex))?.status ?? 'done';
  const all = { ...headers, 'x-circe-job-status': status };
  if (asZip) return streamReply(await zipOf(file), { ...all, 'content-type': 'application/zip' });
  return streamReply(createReadStream(file), { ...all, 'content-type': 'application/x-tar', 'content-length': String(size) });
}

export function streamReply(stream: Readable, headers: Readonly<Record<string, string>>): Response {
  return new Response(Readable.toWeb(stream) as ReadableStream<Uint8Array>, { headers });
}

/** As JSON tells of it. @throws Refusal when it is not there any more */
export async function statusOf(store: JobStore, hex: Hex, id: string): Promise<object> {
  const done = (await store.isDone(hex)) ? await store.doneRecord(hex) : undefined;
  if (done !== undefined) return { id, state: done.status, position: null, ...progressOf(done.last) };
  const state = await store.state(hex);
  if (state !== undefined) return { id, state: 'running', position: 0, ...progressOf(state) };
  const position = await store.position(hex);
  if (position === undefined) throw new Refusal(404, 'Not Found');
  return { id, state: 'queued', position, ...progressOf(undefined) };
}

function progressOf(state: StateRecord | undefined): object {
  return { transformation: state?.transformation ?? null, started: state?.started ?? null, log_lines: state?.lines ?? 0 };
}
