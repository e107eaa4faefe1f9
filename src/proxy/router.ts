/**
 * What a request asks for: a tunnel, one of our own pages, a record to be written, or something of an origin.
 *
 * Source: spec/warcprox.md §2, §7, §8.
 */
import type { Framing, RequestHead } from '../http/message.ts';
import { bodyReader } from '../http1/body.ts';
import { MessageError } from '../http/errors.ts';
import { absoluteTarget, connectTarget, tunnelTarget, type Authority, type Target, type Tunnel } from '../http/target.ts';
import type { Answer } from '../http/answer.ts';
import { isRecordMethod, recordDraft, type RecordDraft } from './custom-record.ts';
import { requestBytes } from '../http1/forward.ts';

/** Where a client's connection leads, if it came through CONNECT. */
export interface ClientTunnel extends Tunnel {
  /** name the client asked for in TLS, when it is not the host's */
  readonly servername: string | undefined;
}

/** The proxy's own pages; undefined for what is not one. */
export type OwnPages = (head: RequestHead) => Answer | undefined;

export type Route =
  | { readonly kind: 'tunnel'; readonly authority: Authority }
  | { readonly kind: 'page'; readonly answer: Answer }
  | { readonly kind: 'record'; readonly url: string; readonly draft: RecordDraft }
  /** `bytes`: the head as the origin gets it */
  | { readonly kind: 'fetch'; readonly url: string; readonly target: Target; readonly bytes: Buffer };

/**
 * @param via add Via to requests, too
 * @throws MessageError for a request that is none of these
 */
export function route(head: RequestHead, framing: Framing, tunnel: ClientTunnel | undefined, ownPage: OwnPages, via: boolean): Route {
  const { method, target: written } = head;
  if (method === 'CONNECT') {
    if (tunnel !== undefined) throw new MessageError('syntax', 'CONNECT inside of a tunnel', written);
    if (!bodyReader(framing, true).done) throw new MessageError('syntax', 'CONNECT with a body', written);
    return { kind: 'tunnel', authority: connectTarget(written) };
  }
  if (isRecordMethod(method)) {
    const draft = recordDraft(head, framing);
    return { kind: 'record', url: draft.url, draft };
  }
  const answer = tunnel === undefined && written.startsWith('/') ? ownPage(head) : undefined;
  if (answer !== undefined) return { kind: 'page', answer };
  const target = tunnel === undefined ? absoluteTarget(method, written) : tunnelTarget(tunnel, method, written);
  return { kind: 'fetch', url: target.url, target, bytes: requestBytes(head, target, tunnel === undefined, via) };
}
