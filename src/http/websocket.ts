/**
 * The handshake of a WebSocket: which requests ask for one, under which URL it is known, and what was agreed upon.
 *
 * Source: RFC 6455 §3 (URIs), §4; RFC 9110 §7.8 (Upgrade); RFC 7692 §7.1 (permessage-deflate).
 */
import { createHash } from 'node:crypto';
import type { Fields } from './fields.ts';
import type { RequestHead, ResponseHead } from './message.ts';

const WEBSOCKET = 'websocket';
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** A request for another protocol that is no WebSocket, or asks in another way, is none: it is sent on without its Upgrade. */
export function asksForWebSocket({ method, minor, fields }: RequestHead, hasBody: boolean): boolean {
  return method === 'GET' && minor === 1 && !hasBody && upgradesTo(fields);
}

/** An answer that begins one. Whether its Sec-WebSocket-Accept is right is for the client to see (RFC 6455 §4.1). */
export function beginsWebSocket({ status, fields }: ResponseHead): boolean {
  return status === 101 && fields.hasMember('upgrade', WEBSOCKET);
}

function upgradesTo(fields: Fields): boolean {
  return fields.hasMember('upgrade', WEBSOCKET) && fields.hasMember('connection', 'upgrade');
}

/** The URL under which it is archived: `ws` for `http`, `wss` for `https`. */
export function webSocketUrl(url: string): string {
  return url.replace(/^http(?=s?:)/i, 'ws');
}

/** The same the other way round: what rules and routes know. */
export function httpUrl(url: string): string {
  return url.replace(/^ws(?=s?:)/i, 'http');
}

/** Sec-WebSocket-Accept for a Sec-WebSocket-Key. */
export function acceptFor(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}

/** permessage-deflate as it was agreed upon: whether messages of each side may refer to what came before them. */
export interface Deflate {
  readonly clientKeepsContext: boolean;
  readonly serverKeepsContext: boolean;
}

/** @returns undefined when messages are not compressed, or in a way that is not known here */
export function deflateOf({ fields }: ResponseHead): Deflate | undefined {
  for (const extension of fields.members('sec-websocket-extensions')) {
    const [name, ...params] = extension.split(';').map((part) => part.trim());
    if (name !== 'permessage-deflate') continue;
    const has = (param: string) => params.includes(param);
    return { clientKeepsContext: !has('client_no_context_takeover'), serverKeepsContext: !has('server_no_context_takeover') };
  }
  return undefined;
}
