/**
 * `/dashboard/capture.json`, one capture with the heads of its messages and the fields of its records, and `/dashboard/body`, its body for the eyes.
 *
 * Nothing of what somebody else has written is ever run or laid out: text goes out as plain text, pictures only of kinds that have no
 * script and are what they say, anything else as a file to keep; all of it in a sandbox of its own origin.
 * Source: CSP Level 3 §6.3.3 (sandbox), Fetch Standard (nosniff, Cross-Origin-Resource-Policy).
 */
import { decoderOf } from '../../page/charset.ts';
import { reasonOf } from '../../util/thrown.ts';
import { WarcReadError } from '../../warc/errors.ts';
import type { ReadRecord } from '../../warc/read/reader.ts';
import { QueryError } from '../captures/filter.ts';
import { jsonText } from '../captures/search-page.ts';
import { textResponse, type FetchHandler } from '../pages.ts';
import { findCapture, placeOf, placeOfOriginal, type FoundCapture, type Sources } from './find.ts';
import { openPayload, readDecoded, showRecord, type Payload } from './read.ts';
import { pictureType } from './picture.ts';

export interface CapturePageOptions extends Sources {
  /** of the WARC files */
  readonly dir: string;
}

const MAX_TEXT = 512 * 1024;
const MAX_PICTURE = 16 * 1024 * 1024;
/** Records of one capture that are shown: those of WebSockets are the most. */
const MAX_RECORDS = 8;

const SAFE = {
  'content-security-policy': "sandbox; default-src 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

export function capturePage({ dir, ...sources }: CapturePageOptions): FetchHandler {
  return (request) =>
    found(request, sources, async (capture) => {
      const records: object[] = [];
      for (const record of capture.records.slice(0, MAX_RECORDS)) {
        const shown = await showRecord(dir, placeOf(record));
        records.push({ ...record, ...(typeof shown === 'string' ? { problem: shown } : shown) });
      }
      return jsonText(JSON.stringify({ ...capture, event: capture.event ?? null, records }));
    });
}

export function bodyPage({ dir, ...sources }: CapturePageOptions): FetchHandler {
  return (request) =>
    found(request, sources, async (capture) => {
      const [principal] = capture.records;
      if (principal === undefined) return textResponse('text/plain;charset=utf-8', 'nothing of it was archived\n', 404);
      const payload = await openPayload(dir, placeOf(principal), (revisit) => originalOf(revisit, sources));
      if (typeof payload === 'string') return textResponse('text/plain;charset=utf-8', `${payload}\n`, 404);
      return new URL(request.url).searchParams.has('file') ? asFile(payload) : await forTheEyes(payload);
    });
}

async function found(request: Request, sources: Sources, answer: (capture: FoundCapture) => Promise<Response>): Promise<Response> {
  try {
    const capture = await findCapture(new URL(request.url).searchParams, sources);
    if (capture === undefined)
      return textResponse('text/plain;charset=utf-8', 'this capture is not kept in memory any more, and not in an index\n', 404);
    return await answer(capture);
  } catch (error) {
    if (error instanceof QueryError) return textResponse('text/plain;charset=utf-8', `${error.message}\n`, 400);
    if (error instanceof WarcReadError) return textResponse('text/plain;charset=utf-8', `${reasonOf(error)}\n`, 500);
    throw error;
  }
}

function originalOf(revisit: ReadRecord, sources: Sources): ReturnType<typeof placeOfOriginal> {
  const refers = {
    id: revisit.header('WARC-Refers-To'),
    url: revisit.header('WARC-Refers-To-Target-URI'),
    date: revisit.header('WARC-Refers-To-Date'),
    digest: revisit.header('WARC-Payload-Digest') ?? '',
  };
  return placeOfOriginal(refers, sources);
}

/** Text of at most half a megabyte, a picture, or the word that it is neither. */
async function forTheEyes(payload: Payload): Promise<Response> {
  try {
    const wantsPicture = /^\s*image\//i.test(payload.contentType);
    const { bytes, whole, problem } = await readDecoded(payload, wantsPicture ? MAX_PICTURE : MAX_TEXT);
    const more = { 'x-body-whole': String(whole), ...(problem === undefined ? {} : { 'x-body-problem': encodeURIComponent(problem) }) };
    const picture = pictureType(bytes);
    if (picture !== undefined) return shown(bytes, picture, more);
    if (isBinary(bytes)) return shown(Buffer.alloc(0), 'application/octet-stream', more);
    return shown(Buffer.from(decoderOf(payload.contentType, bytes).decode(bytes.subarray(0, MAX_TEXT))), 'text/plain;charset=utf-8', more);
  } finally {
    await payload.close();
  }
}

function shown(bytes: Buffer, type: string, more: Readonly<Record<string, string>>): Response {
  return new Response(new Uint8Array(bytes), {
    headers: { ...SAFE, ...more, 'content-type': type, 'content-length': String(bytes.length) },
  });
}

/** The payload as it is archived, content-coding and all, to be kept. */
function asFile(payload: Payload): Response {
  const headers = { ...SAFE, 'content-type': 'application/octet-stream', 'content-disposition': 'attachment; filename="body"' };
  return new Response(streamOf(payload), { headers });
}

function streamOf({ pieces, close }: Payload): ReadableStream<Uint8Array> {
  const reader = pieces[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await reader.next();
        if (next.done !== true) return controller.enqueue(new Uint8Array(next.value));
        await close();
        controller.close();
      },
      cancel: async () => {
        await close();
      },
    },
    { highWaterMark: 0 },
  );
}

/** As `file` and `git` tell it: text has no NUL. */
function isBinary(bytes: Buffer): boolean {
  return bytes.subarray(0, 8192).includes(0);
}
