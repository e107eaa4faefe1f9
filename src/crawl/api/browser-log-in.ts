/**
 * Log-in of a WebSocket that a page opens: browsers let it say subprotocols and nothing else, so the credentials are one of them.
 *
 * `basic.` and `USER:PASSWORD` in base64url, as it would be in Authorization: nothing is remembered on either side, and no page of somebody
 * else can have it sent.
 * Source: RFC 6455 §4.1 (Sec-WebSocket-Protocol), RFC 7617.
 */
import { fieldOf, Fields } from '../../http/fields.ts';
import type { ClientRequest, Handler } from '../../http/sides.ts';

const OFFERED = /^basic\.([A-Za-z0-9_-]+)$/;

/** @param handler asks for Authorization */
export function withBrowserLogIn(handler: Handler): Handler {
  return (request, client) => handler(authorized(request), client);
}

function authorized(request: ClientRequest): ClientRequest {
  const { fields } = request.head;
  if (fields.has('authorization')) return request;
  const offered = fields.all('sec-websocket-protocol').flatMap((value) => value.split(','));
  const given = offered.map((each) => OFFERED.exec(each.trim())?.[1]).find((each) => each !== undefined);
  if (given === undefined) return request;
  const authorization = fieldOf('Authorization', `Basic ${Buffer.from(given, 'base64url').toString('base64')}`);
  return { ...request, head: { ...request.head, fields: new Fields([...fields.list, authorization]) } };
}
