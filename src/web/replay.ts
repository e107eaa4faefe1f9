/**
 * `/replay/`: what was archived, to be looked at: a search by the beginnings of URLs, all captures of one URL, and its TimeMap.
 *
 * Asks the playback index alone, in bounded steps; shows no body. Captures are played by the playback proxy.
 * Source: RFC 7089 §5 (TimeMap), RFC 6690 (application/link-format).
 */
import type { Listed, PlaybackIndex } from '../store/playback.ts';
import { httpDate } from '../http/http-date.ts';
import { OWN_NAME } from './through.ts';
import { beginningsOf } from './captures/beginnings.ts';
import { readPageFiles } from './page-files.ts';
import { OPEN, openPage } from './replay-at.ts';
import { viewerOf, type Moments } from '../store/moments.ts';
import { textResponse, type FetchHandler } from './pages.ts';

export interface ReplayOptions {
  readonly index: Pick<PlaybackIndex, 'list'>;
  readonly moments: Moments;
  /** origin of which a page may stand within this one, for who asks; undefined: of none */
  readonly frames: (request: Request) => string | undefined;
  /** of these pages: whether they are asked for by way of the playback proxy is told by `via.json` */
  readonly isPlayback: boolean;
  /** origins that are ours, which may ask `via.json` */
  readonly isOwnHost: (host: string | undefined) => boolean;
  /** why the pages are off; undefined where they are on */
  readonly guard: (handler: FetchHandler) => FetchHandler;
}

/** Of the index, for one answer. */
const MAX_READ = 5000;
const CHUNK = 200;
const MAX_URLS = 100;
const MAX_CAPTURES = 10_000;
const MAX_QUERY = 4096;
/** Behind a whole URL. */
const NUL = '\0';

const ROOT = '/replay/';
/** The path that each of our names answers. */
export const REPLAY_VIA = `${ROOT}via.json`;

interface UrlFound {
  readonly url: string;
  /** one that can answer several things is in the index as often */
  readonly records: Set<string>;
  first: string;
  last: string;
}

interface Piece {
  readonly start: string;
  readonly from: string | undefined;
}

/** By path. */
export function replayPages({
  index,
  moments,
  frames,
  isPlayback,
  isOwnHost,
  guard,
}: ReplayOptions): Readonly<Record<string, FetchHandler>> {
  const files = readPageFiles(new URL('./replay/', import.meta.url), {
    index: ROOT,
    files: '/web/replay/',
    connect: [`http://${OWN_NAME}`],
  });
  const { [ROOT]: file = () => new Response(null, { status: 404 }), ...others } = Object.fromEntries(files);
  const page: FetchHandler = (request) => {
    const answer = file();
    const framed = frames(request);
    const policy = answer.headers.get('content-security-policy') ?? '';
    if (framed !== undefined) answer.headers.set('content-security-policy', `${policy}; frame-src ${framed}`);
    return answer;
  };
  return {
    ...others,
    [ROOT]: guard(page),
    // `/replay/20260102030405/URL`: the page, at that capture.
    [`${ROOT}*`]: guard((request) =>
      /^\/replay\/\d{4,14}\//.test(new URL(request.url).pathname) ? page(request) : textResponse('text/plain', 'no such page\n', 404),
    ),
    [`${OPEN}*`]: guard(openPage(moments, isPlayback)),
    [`${ROOT}urls.json`]: guard((request) => found(request, index)),
    [`${ROOT}captures.json`]: guard((request) => ofUrl(request, index)),
    [`${ROOT}timemap/link/*`]: guard((request) => timeMap(request, index)),
    [REPLAY_VIA]: async (request, from) => {
      const origin = request.headers.get('origin');
      const mine = origin !== null && URL.canParse(origin) && isOwnHost(new URL(origin).host);
      const at = isPlayback ? await moments.of(viewerOf(from, request.headers.get('user-agent'))) : undefined;
      return json(
        { playback: isPlayback, at: at?.toISOString() ?? null },
        { vary: 'Origin', ...(mine ? { 'access-control-allow-origin': origin } : {}) },
      );
    },
  };
}

/** `?q=` the beginning of URLs; `?start=&from=` goes on with a piece. */
async function found(request: Request, index: ReplayOptions['index']): Promise<Response> {
  const query = new URL(request.url).searchParams;
  const [q = '', start, from] = ['q', 'start', 'from'].map((name) => query.get(name) ?? undefined);
  if (Math.max(q.length, start?.length ?? 0, from?.length ?? 0) > MAX_QUERY)
    return textResponse('text/plain', 'this is too long to be looked for\n', 400);
  const asked = start === undefined ? beginningsOf(q) : [start];
  const urls = new Map<string, UrlFound>();
  const next: Piece[] = [];
  for (const each of asked) {
    let at = from;
    const before = urls.size;
    for (let read = 0; ; read += CHUNK) {
      const listed = await index.list(each, CHUNK, at);
      for (const capture of listed.captures) count(capture, urls);
      at = listed.next;
      if (at === undefined) break;
      if (urls.size - before < MAX_URLS && read < MAX_READ) continue;
      next.push({ start: each, from: at });
      break;
    }
  }
  return json({ urls: [...urls.values()].map(({ url, records, first, last }) => ({ url, captures: records.size, first, last })), next });
}

function count({ url, startedAt, recordId }: Listed, urls: Map<string, UrlFound>): void {
  const time = startedAt.toISOString();
  const known = urls.get(url) ?? { url, records: new Set<string>(), first: time, last: time };
  urls.set(url, known);
  known.records.add(recordId);
  if (time < known.first) known.first = time;
  if (time > known.last) known.last = time;
}

/** Of one URL, the earliest first. One that can answer several things is in the index as often. */
async function capturesOf(
  url: string,
  index: ReplayOptions['index'],
): Promise<{ readonly captures: readonly Listed[]; readonly isWhole: boolean }> {
  const { captures, next } = await index.list(url + NUL, MAX_CAPTURES);
  const byRecord = new Map(captures.map((capture) => [capture.recordId, capture]));
  const sorted = [...byRecord.values()].sort((one, other) => Number(one.startedAt) - Number(other.startedAt));
  return { captures: sorted, isWhole: next === undefined };
}

async function ofUrl(request: Request, index: ReplayOptions['index']): Promise<Response> {
  const url = new URL(request.url).searchParams.get('url') ?? '';
  if (url === '' || url.length > MAX_QUERY) return textResponse('text/plain', 'which URL is not said\n', 400);
  const { captures, isWhole: all } = await capturesOf(url, index);
  const told = captures.map(({ startedAt, type, payloadSize, recordId }) => ({
    time: startedAt.toISOString(),
    type,
    size: payloadSize ?? null,
    recordId,
  }));
  return json({ url, captures: told, all });
}

async function timeMap(request: Request, index: ReplayOptions['index']): Promise<Response> {
  const { origin, href } = new URL(request.url);
  const self = href.replace(/#.*$/s, '');
  const url = self.slice(self.indexOf('/timemap/link/') + '/timemap/link/'.length);
  const { captures } = await capturesOf(url, index);
  if (captures.length === 0) return textResponse('text/plain', 'nothing of this URL is in the archive\n', 404);
  const of = (capture: Listed | undefined) => (capture === undefined ? '' : httpDate(capture.startedAt));
  const target = linked(url);
  const last = captures.length - 1;
  const mementos = captures.map((capture, nth) => {
    const rels = [...(nth === 0 ? ['first'] : []), ...(nth === last ? ['last'] : []), 'memento'].join(' ');
    const stamp = capture.startedAt.toISOString().replace(/\D/g, '').slice(0, 14);
    return `<${origin}${ROOT}${stamp}/${linked(url)}>; rel="${rels}"; datetime="${of(capture)}"`;
  });
  const about = `<${linked(self)}>; rel="self"; type="application/link-format"; from="${of(captures[0])}"; until="${of(captures[last])}"`;
  return textResponse('application/link-format', `${[`<${target}>; rel="original timegate"`, about, ...mementos].join(',\n')}\n`);
}

/** What would end a reference early is percent-encoded. */
function linked(url: string): string {
  return url.replace(/[<>"\s]/g, (char) => encodeURIComponent(char));
}

function json(value: object, headers: Readonly<Record<string, string>> = {}): Response {
  const text = `${JSON.stringify(value)}\n`;
  const own = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)), 'cache-control': 'no-store' };
  return new Response(text, { headers: { ...own, ...headers } });
}
