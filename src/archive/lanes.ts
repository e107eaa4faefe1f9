/**
 * The lanes of an exchange in the playback index: what its answer can be used for again.
 *
 * Reads what head and body of a request say only where it matters: for methods with a body, and for answers that are a range.
 * Source: store/lanes.ts.
 */
import { MessageError } from '../http/errors.ts';
import { rangeText, rangeTextsOf } from '../http/range.ts';
import { hasNoBody, RequestKey } from '../http/request-key.ts';
import { bodyReader } from '../http1/body.ts';
import { requestFraming } from '../http1/framing.ts';
import { HeadReader, parseRequestHead } from '../http1/head.ts';
import { isOfRange, lanesOf, type Lane } from '../store/lanes.ts';

export interface Exchanged {
  /** of the request */
  readonly method: string;
  readonly status: number;
  /** the response is not whole */
  readonly truncated: boolean;
  /** the request as it was sent; read at most once */
  readonly request: () => AsyncIterable<Buffer>;
  /** Content-Range of the answer */
  readonly contentRange: () => Promise<string | undefined> | string | undefined;
}

export async function lanesOfExchange({ method, status, truncated, request, contentRange }: Exchanged): Promise<readonly Lane[]> {
  const of = (key: string, ranges: readonly string[]) => lanesOf({ key, status, truncated, ranges });
  if (hasNoBody(method) && !isOfRange(status)) return of(method, []);
  try {
    const { key, range } = await askedIn(method, request());
    if (!isOfRange(status)) return of(key, []);
    return of(key, [...(range === undefined ? [] : [range]), ...rangeTextsOf((await contentRange()) ?? '')]);
  } catch (error) {
    // Nobody could ask for it again.
    if (error instanceof MessageError) return [];
    throw error;
  }
}

/** What tells a request apart from others for its URL. @throws MessageError when it cannot be read */
async function askedIn(
  method: string,
  request: AsyncIterable<Buffer>,
): Promise<{ readonly key: string; readonly range: string | undefined }> {
  const pieces = request[Symbol.asyncIterator]();
  const heads = new HeadReader();
  for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
    const found = heads.push(next.value);
    if (found === undefined) continue;
    const head = parseRequestHead(found.head);
    const key = new RequestKey(method, head.fields.get('content-type'));
    // What has come in frames of HTTP/2 need not say how long it is: it is all that follows.
    const framing = requestFraming(head);
    const body = bodyReader(framing.kind === 'none' ? { kind: 'close' } : framing, false);
    const take = (bytes: Buffer) => {
      const payload: Buffer[] = [];
      body.read(bytes, 0, payload);
      for (const piece of payload) key.update(piece);
    };
    take(found.rest);
    while (!hasNoBody(method) && !body.done && (next = await pieces.next()).done !== true) take(next.value);
    await pieces.return?.();
    const range = head.fields.get('range');
    return { key: hasNoBody(method) ? method : key.finish(), range: range === undefined ? undefined : rangeText(range) };
  }
  throw new MessageError('syntax', 'the request ends within its head');
}
