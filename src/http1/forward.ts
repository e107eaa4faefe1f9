/**
 * Requests and responses as the proxy sends them on.
 *
 * Source: spec/warcprox.md §2; RFC 9110 §7.6.1 and §7.6.3, RFC 9112 §3.2.2.
 */
import type { Framing, RequestHead, ResponseHead } from '../http/message.ts';
import { fieldLine, forwardedLines } from './serialize.ts';
import { hostField, parseAuthority, type Target } from '../http/target.ts';

const VIA = '1.1 warcprox';

/**
 * The head of a request as its origin gets it.
 *
 * @param absolute the target came in absolute form, which decides over Host
 * @param via append Via
 */
export function requestBytes(head: RequestHead, target: Target, absolute: boolean, via: boolean): Buffer {
  const host = head.fields.get('host');
  const expected = hostField(target);
  const hostWrong = absolute && host !== undefined && host !== expected && !sameAuthority(host, target);
  const lines = forwardedLines(head.fields, (field) => {
    if (field.key === 'warcprox-meta') return '';
    if (hostWrong && field.key === 'host') return fieldLine(field.name, expected);
    return undefined;
  });
  const missing = host === undefined ? fieldLine('Host', expected) : '';
  const added = via ? fieldLine('Via', VIA) : '';
  return Buffer.from(`${head.method} ${target.path} HTTP/1.${head.minor}\r\n${missing}${lines}${added}\r\n`, 'latin1');
}

export interface ResponseForm {
  readonly framing: Framing;
  /** the connection ends after this response */
  readonly close: boolean;
  /** the body is sent without its chunks, for a client that cannot read them */
  readonly unchunk: boolean;
  /** lines of fields of our own, each ended by CRLF */
  readonly added: string;
}

/** The head of a response as an HTTP/1 client gets it, Latin-1. */
export function responseLines(head: ResponseHead, { framing, close, unchunk, added }: ResponseForm): string {
  const { fields } = head;
  const lastVia = fields.list.findLast((field) => field.key === 'via');
  // Neither may be there, and some clients wait for the body they promise (RFC 9110 §8.6, RFC 9112 §6.1).
  const unframed = head.status < 200 || head.status === 204;
  const firstLength = fields.list.find((field) => field.key === 'content-length');
  const lines = forwardedLines(fields, (field) => {
    switch (field.key) {
      case 'strict-transport-security':
        return '';
      // Only one statement on where the body ends is passed on, the one that we went by (RFC 9112 §6.3).
      case 'content-length':
        if (framing.kind === 'length')
          return field !== firstLength
            ? ''
            : field.value === String(framing.length)
              ? undefined
              : fieldLine(field.name, String(framing.length));
        return framing.kind === 'none' && !unframed ? undefined : '';
      case 'transfer-encoding':
        return framing.kind === 'length' || unchunk || unframed ? '' : undefined;
      case 'trailer':
        return unchunk ? '' : undefined;
      case 'via':
        return field === lastVia ? fieldLine(field.name, `${field.value}, ${VIA}`) : undefined;
      default:
        return undefined;
    }
  });
  const via = lastVia === undefined && head.status >= 200 ? fieldLine('Via', VIA) : '';
  return `HTTP/1.1 ${head.status} ${head.reason}\r\n${lines}${via}${added}${close ? 'Connection: close\r\n' : ''}\r\n`;
}

/** Whether a Host value means the target, in another spelling. @throws MessageError for one that names no host (RFC 9112 §3.2) */
function sameAuthority(host: string, target: Target): boolean {
  if (host === '') return false;
  const authority = parseAuthority(host, 80);
  return authority.host === target.host && authority.port === target.port;
}
