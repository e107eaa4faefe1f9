/**
 * CONNECT in front of a handler: the connection becomes a tunnel, and what comes in it is served anew.
 *
 * Source: RFC 9110 §9.3.6.
 */
import { MessageError } from '../http/errors.ts';
import type { Handler } from '../http/sides.ts';
import { connectTarget } from '../http/target.ts';

export function withTunnels(handler: Handler): Handler {
  return (request, client) => {
    const { head, tunnel, hasBody } = request;
    if (head.method !== 'CONNECT') return handler(request, client);
    if (tunnel !== undefined) throw new MessageError('syntax', 'CONNECT inside of a tunnel', head.target);
    if (hasBody) throw new MessageError('syntax', 'CONNECT with a body', head.target);
    client.openTunnel(connectTarget(head.target));
  };
}
