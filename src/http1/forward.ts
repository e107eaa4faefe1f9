/**
 * Heads of HTTP/1 messages as they are sent on.
 *
 * Source: spec/warcprox.md §2; RFC 9110 §7.6.1 and §7.6.3, RFC 9112 §3.2.2.
 */
import type { Field, Fields } from '../http/fields.ts';
import type { Framing, ResponseHead } from '../http/message.ts';
import type { AnswerForm } from '../http/sides.ts';
import type { Target } from '../http/target.ts';
import { fieldLine, forwardedLines } from './serialize.ts';

/** What is needed of a request that is sent on. */
export interface SentRequest {
  readonly method: string;
  readonly target: Target;
  readonly fields: Fields;
  /** instead of the Host that came, or where none came; undefined leaves it */
  readonly host: string | undefined;
  /** added to Via; undefined adds nothing */
  readonly via: string | undefined;
  readonly minor: 0 | 1;
  /** it asks for a WebSocket */
  readonly webSocket?: boolean | undefined;
}

/** The head of a request as its origin gets it. */
export function requestBytes(request: SentRequest): Buffer {
  const { method, target, fields, host, via, minor, webSocket } = request;
  const lines = forwardedLines(fields, requestLine, request, webSocket);
  const missing = host === undefined || fields.has('host') ? '' : fieldLine('Host', host);
  const added = via === undefined ? '' : fieldLine('Via', via);
  const version = minor === 0 ? ' HTTP/1.0\r\n' : ' HTTP/1.1\r\n';
  return Buffer.from(`${method} ${target.path}${version}${missing}${lines}${added}\r\n`, 'latin1');
}

function requestLine({ name, key }: Field, { host }: SentRequest): string | undefined {
  if (key === 'warcprox-meta' || key === 'warcprox-meta-secret') return '';
  return host !== undefined && key === 'host' ? fieldLine(name, host) : undefined;
}

export interface ResponseForm {
  readonly framing: Framing;
  /** the connection ends after this response */
  readonly close: boolean;
  /** the body is sent without its chunks, for a client that cannot read them */
  readonly unchunk: boolean;
  /** it begins a WebSocket */
  readonly upgrades?: boolean;
  /** added to Via; undefined leaves Via alone */
  readonly via: string | undefined;
  /** fields of our own */
  readonly added: AnswerForm['added'];
}

interface SentResponse {
  readonly head: ResponseHead;
  readonly form: ResponseForm;
  readonly firstLength: Field | undefined;
  readonly lastVia: Field | undefined;
}

/** The head of a response as an HTTP/1 client gets it, Latin-1. */
export function responseLines(head: ResponseHead, form: ResponseForm): string {
  const { close, upgrades, via, added } = form;
  const { list } = head.fields;
  const firstLength = list.find(isLength);
  const lastVia = list.findLast(isVia);
  const lines = forwardedLines(head.fields, responseLine, { head, form, firstLength, lastVia }, upgrades);
  let own = via === undefined || lastVia !== undefined || head.status < 200 ? '' : fieldLine('Via', via);
  for (const [name, value] of added) own += fieldLine(name, value);
  return `${statusLine(head)}${lines}${own}${close ? 'Connection: close\r\n\r\n' : '\r\n'}`;
}

function statusLine({ status, reason }: ResponseHead): string {
  return status === 200 && reason === 'OK' ? 'HTTP/1.1 200 OK\r\n' : `HTTP/1.1 ${status} ${reason}\r\n`;
}

const isLength = ({ key }: Field): boolean => key === 'content-length';
const isVia = ({ key }: Field): boolean => key === 'via';

function responseLine(field: Field, { head, form, firstLength, lastVia }: SentResponse): string | undefined {
  const { framing, unchunk, via } = form;
  // Neither length nor coding may be there, and some clients wait for the body they promise (RFC 9110 §8.6, RFC 9112 §6.1).
  const unframed = head.status < 200 || head.status === 204;
  switch (field.key) {
    case 'strict-transport-security':
      return '';
    // Only one statement on where the body ends is passed on, the one that we went by (RFC 9112 §6.3).
    case 'content-length':
      if (framing.kind === 'length') return field === firstLength ? lengthLine(field, framing.length) : '';
      return framing.kind === 'none' && !unframed ? undefined : '';
    case 'transfer-encoding':
      return framing.kind === 'length' || unchunk || unframed ? '' : undefined;
    case 'trailer':
      return unchunk ? '' : undefined;
    case 'via':
      return field === lastVia && via !== undefined ? fieldLine(field.name, `${field.value}, ${via}`) : undefined;
    default:
      return undefined;
  }
}

function lengthLine({ name, value }: Field, length: number): string | undefined {
  return value === String(length) ? undefined : fieldLine(name, String(length));
}
