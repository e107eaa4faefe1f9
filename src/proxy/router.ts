/**
 * What a request asks for: one of our own pages, a record to be written, or something of an origin.
 *
 * Source: spec/warcprox.md §2, §7, §8; RFC 9112 §3.2.2 (the target decides over Host).
 */
import { parseAuthority } from '../http/authority.ts';
import type { RequestHead } from '../http/message.ts';
import type { ClientRequest } from '../http/sides.ts';
import { isRecordMethod } from '../http/record-uri.ts';
import { absoluteTarget, hostField, tunnelTarget, writtenAuthorityOf, type Target } from '../http/target.ts';
import { asksForWebSocket, httpUrl, webSocketUrl } from '../http/websocket.ts';
import { recordDraft } from './custom-record.ts';
import { VIA, type Wanted } from './passage.ts';

/**
 * @param via add Via to requests, too
 * @throws MessageError for a request that is none of these
 */
export function route({ head, framing, hasBody, expectsContinue, tunnel, http2 }: ClientRequest, via: boolean): Wanted {
  const { method, target: written, fields, minor } = head;
  const bodySize = framing.kind === 'length' ? framing.length : undefined;
  if (isRecordMethod(method)) return { kind: 'record', fields, draft: recordDraft(head, framing), bodySize };
  const webSocket = asksForWebSocket(head, hasBody);
  // RFC 6455 §3: `ws` is `http`, but for the protocol that begins.
  const asked = webSocket ? httpUrl(written) : written;
  const found = tunnel === undefined ? absoluteTarget(method, asked) : tunnelTarget(tunnel, method, asked);
  const target = webSocket ? { ...found, url: webSocketUrl(found.url) } : found;
  return {
    kind: 'fetch',
    bodySize,
    outgoing: {
      method,
      target,
      servername: tunnel?.servername,
      imitation: tunnel?.imitation,
      fields,
      host: hostOf(head, target, tunnel === undefined),
      via: via ? VIA : undefined,
      webSocket,
      minor,
      http2,
      hasBody,
      expectsContinue,
    },
  };
}

/**
 * The Host that is sent instead of the client's, if any.
 *
 * @param absolute the target came in absolute form, which decides over Host
 */
function hostOf({ fields, target: written }: RequestHead, target: Target, absolute: boolean): string | undefined {
  const host = fields.get('host');
  const expected = hostField(target);
  // Python's urllib repeats the user info of the URL in Host.
  if (host?.includes('@') === true) {
    if (host === writtenAuthorityOf(written)) return expected;
    // Any other is refused, in a tunnel, too, where Host is passed on: it would be a way to disguise the host, or to archive a password.
    parseAuthority(host, 80);
  }
  if (host !== undefined && !absolute) return undefined;
  return host !== undefined && (host === expected || sameAuthority(host, target)) ? undefined : expected;
}

/** Whether a Host value means the target, in another spelling. @throws MessageError for one that names no host (RFC 9112 §3.2) */
function sameAuthority(host: string, target: Target): boolean {
  if (host === '') return false;
  const authority = parseAuthority(host, 80);
  return authority.host === target.host && authority.port === target.port;
}
