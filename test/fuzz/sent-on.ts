/** What the proxy sends on of the bytes that it gets, put together as its connections do (src/proxy), without any. */
import type { Framing, RequestHead, ResponseHead } from '../../src/http/message.ts';
import { MessageError } from '../../src/http/errors.ts';
import { parseRequestHead } from '../../src/http1/head.ts';
import { ResponseReader } from '../../src/http1/response-reader.ts';
import type { Target } from '../../src/http/target.ts';
import { VIA } from '../../src/proxy/passage.ts';
import { route } from '../../src/proxy/router.ts';
import { requestBytes, responseLines } from '../../src/http1/forward.ts';
import { bytes, clientRequest, type Read } from '../http1/read.ts';

export interface SentRequest {
  readonly head: RequestHead;
  readonly target: Target;
  /** in the form in which the origin gets it */
  readonly headBytes: Buffer;
}

/** @returns undefined for what is refused, or not for an origin */
export function sentRequest(read: Read): SentRequest | undefined {
  if (read.framing === undefined) return undefined;
  const head = parseRequestHead(bytes(read.head));
  if (head.method === 'CONNECT') return undefined;
  try {
    const absolute = !head.target.startsWith('/') && head.target !== '*';
    const tunnel = absolute ? undefined : ({ scheme: 'https', host: 'a', port: 443, servername: undefined } as const);
    const wanted = route(clientRequest(head, tunnel), false);
    if (wanted.kind !== 'fetch') return undefined;
    return { head, target: wanted.outgoing.target, headBytes: requestBytes(wanted.outgoing) };
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    return undefined;
  }
}

export interface SentResponse {
  readonly head: ResponseHead;
  readonly framing: Framing;
  /** the final head as it came, as it is recorded */
  readonly recordedHead: Buffer;
  /** the body as it came */
  readonly body: string;
  /** without transfer-coding */
  readonly payload: string;
  /** the final answer is whole */
  readonly done: boolean;
  readonly exact: boolean;
  readonly excess: boolean;
  /** message of the error in the body, which cuts the client's connection */
  readonly error: string | undefined;
  /** the final head as a client gets it, Latin-1 */
  readonly headToClient: string;
  /** all that a client gets, interim answers included */
  readonly toClient: Buffer;
  /** for the client the body ends with the connection */
  readonly untilClose: boolean;
  /** the client's connection ends after it */
  readonly closes: boolean;
}

/** @returns the message of the error when there is no final head, or undefined while it is not complete */
export function sentResponse(pieces: readonly Buffer[], method: string, http10 = false): SentResponse | string | undefined {
  const toClient: Buffer[] = [];
  let final: Pick<SentResponse, 'head' | 'framing' | 'recordedHead' | 'headToClient' | 'closes'> | undefined;
  let unchunk = false;
  let body = '';
  let payload = '';
  let error: string | undefined;
  const reader = new ResponseReader(method, {
    onGivenUp: () => undefined,
    onInterim(head) {
      const framing: Framing = { kind: 'none' };
      if (!http10) toClient.push(bytes(responseLines(head, { framing, close: false, unchunk: false, via: VIA, added: [] })));
    },
    onHead(head, framing, recordedHead) {
      unchunk = framing.kind === 'chunked' && http10;
      const closes = http10 || framing.kind === 'close';
      const headToClient = responseLines(head, { framing, close: closes, unchunk, via: VIA, added: [] });
      final = { head, framing, recordedHead: Buffer.from(recordedHead), headToClient, closes };
      toClient.push(bytes(headToClient));
    },
    onBody(piece, slices) {
      body += piece.toString('latin1');
      payload += Buffer.concat(slices).toString('latin1');
      if (unchunk) toClient.push(...slices);
      else toClient.push(piece);
    },
  });
  try {
    for (const piece of pieces) reader.read(piece);
  } catch (thrown) {
    if (!(thrown instanceof MessageError)) throw thrown;
    error = thrown.message;
  }
  if (final === undefined) return error;
  const { done, exact, excess } = reader;
  const closes = final.closes || !exact || !done;
  const untilClose = final.framing.kind === 'close' || unchunk;
  return { ...final, untilClose, body, payload, done, exact, excess, error, toClient: Buffer.concat(toClient), closes };
}
