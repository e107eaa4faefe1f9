/**
 * What a program in this process asks to be fetched, as the request that goes out.
 *
 * Source: RFC 9110 §5.5 (field values), §8.6 (Content-Length), RFC 9112 §7.1 (chunks where the length is not known).
 */
import { MessageError } from '../http/errors.ts';
import { fieldOf, Fields, type Field } from '../http/fields.ts';
import { hostField, urlTarget } from '../http/target.ts';
import { isField } from '../http1/fields.ts';
import { fieldLine } from '../http1/serialize.ts';
import { utf8Bytes } from '../url/percent.ts';
import type { Upstream } from '../fetch/upstream.ts';
import type { WantedFetch } from '../proxy/passage.ts';

export interface FetchInit {
  /** GET by default */
  readonly method?: string;
  /** sent in this order, after Host; `User-Agent` and `Accept` are added where they are missing */
  readonly headers?: Readonly<Record<string, string>> | readonly (readonly [name: string, value: string])[];
  /** of a length that is known, or in chunks */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** as a client of the proxy says in Warcprox-Meta: prefix, buckets, limits, blocks … */
  readonly meta?: object;
  /** gives up waiting for the answer; what has been asked of the origin is archived all the same, as far as `finishAbandoned` says */
  readonly signal?: AbortSignal;
  /** who gives up, or stops reading, ends the download, too: what has come is archived, marked as truncated */
  readonly cutsOff?: boolean;
  /** the way to the origin for this request alone, instead of the one in the options */
  readonly upstream?: Upstream;
  /** connect also to a host that could not be reached less than a minute ago */
  readonly afresh?: boolean;
}

const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * @param userAgent sent unless the headers say another
 * @throws MessageError for a URL, a method or a header that cannot be sent
 */
export function wantedOf(url: string, init: FetchInit, userAgent: string, recordId: string): WantedFetch {
  const { method = 'GET', headers = [], body, meta, upstream, afresh } = init;
  if (!METHOD.test(method) || method === 'CONNECT')
    throw new MessageError('syntax', 'method not understood, expected one such as GET', method);
  const target = urlTarget(method, url);
  const given: readonly (readonly [string, string])[] = isList(headers) ? headers : Object.entries(headers);
  const list: Field[] = [];
  if (!given.some(([name]) => name.toLowerCase() === 'host')) list.push(fieldOf('Host', hostField(target)));
  for (const [name, value] of given) list.push(checked(name, value));
  const has = (key: string) => list.some((field) => field.key === key);
  for (const [name, value] of [
    ['User-Agent', userAgent],
    ['Accept', '*/*'],
  ] as const) {
    if (!has(name.toLowerCase())) list.push(fieldOf(name, value));
  }
  for (const key of FRAMING)
    if (has(key)) throw new MessageError('syntax', 'header that says how the body is framed, which is not for the caller to say', key);
  if (typeof body === 'string' || body instanceof Uint8Array) list.push(fieldOf('Content-Length', String(Buffer.byteLength(body))));
  else if (body !== undefined) list.push(fieldOf('Transfer-Encoding', 'chunked'));
  if (meta !== undefined) list.push(fieldOf('Warcprox-Meta', utf8Bytes(JSON.stringify(meta))));
  const fields = new Fields(list);
  const hasBody = body !== undefined && !(hasLength(body) && Buffer.byteLength(body) === 0);
  return {
    kind: 'fetch',
    recordId,
    outgoing: {
      method,
      target,
      servername: undefined,
      upstream,
      afresh,
      fields,
      host: undefined,
      via: undefined,
      minor: 1,
      hasBody,
      expectsContinue: false,
    },
  };
}

/** Said by the body itself, or by the connection. */
const FRAMING = ['content-length', 'transfer-encoding', 'connection', 'upgrade', 'expect', 'warcprox-meta', 'warcprox-meta-secret'];

function isList(headers: NonNullable<FetchInit['headers']>): headers is readonly (readonly [string, string])[] {
  return Array.isArray(headers);
}

export function hasLength(body: NonNullable<FetchInit['body']>): body is string | Uint8Array {
  return typeof body === 'string' || body instanceof Uint8Array;
}

function checked(name: string, value: string): Field {
  const bytes = utf8Bytes(value.trim());
  if (!isField(fieldLine(name, bytes))) throw new MessageError('syntax', 'header that cannot be sent', `${name}: ${value}`);
  return fieldOf(name, bytes);
}
