/**
 * Other HTTP proxies on the way to an origin: a tunnel through one, or a request that one is told.
 *
 * Source: RFC 9110 §9.3.6.
 */
import type { Socket } from 'node:net';
import { FetchError } from '../http/fetch-error.ts';
import { hostField, type Target } from '../http/target.ts';
import { parseResponseHead } from '../http1/head.ts';
import { reasonOf } from '../util/thrown.ts';
import type { OutgoingRequest } from './origin-connection.ts';
import { isHttpProxy, proxyAuthorization, type Upstream } from './upstream.ts';

const MAX_HEAD_BYTES = 64 * 1024;

/** @param authority where it is to lead, host and port @throws FetchError */
export async function tunnelThrough(socket: Socket, authority: string, upstream: Upstream, timeoutMs: number): Promise<void> {
  const failed = (why: string) => new FetchError('proxy-failed', `connection to ${authority} by HTTP proxy failed: ${why}`);
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${proxyAuthorization(upstream)}\r\n`);
  let received = Buffer.alloc(0);
  await new Promise<void>((resolve, reject) => {
    const settle = (error?: FetchError) => {
      clearTimeout(timer);
      socket.pause().removeListener('data', onData).removeListener('close', onClose).removeListener('error', onError);
      if (error === undefined) return resolve();
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const onError = (error: Error) => settle(failed(reasonOf(error)));
    const onClose = () => settle(failed('closed by the proxy'));
    const timer = timeoutMs > 0 ? setTimeout(() => settle(failed(`no answer within ${timeoutMs / 1000} s`)), timeoutMs) : undefined;
    const onData = (piece: Buffer) => {
      received = Buffer.concat([received, piece]);
      const end = received.indexOf('\r\n\r\n');
      if (end === -1) return received.length > MAX_HEAD_BYTES ? settle(failed('its answer has no end')) : undefined;
      try {
        const { status, reason } = parseResponseHead(received.subarray(0, end + 4));
        if (status < 200 || status > 299) return settle(failed(`it answers ${status} ${reason}`));
        settle();
        const rest = received.subarray(end + 4);
        if (rest.length > 0) socket.unshift(rest);
      } catch (error) {
        settle(failed(reasonOf(error)));
      }
    };
    socket.on('data', onData).once('close', onClose).once('error', onError);
  });
}

/** Asked by `http` URLs, it is told the whole of them instead of being tunnelled through. */
export function byHttpProxy(request: OutgoingRequest): request is OutgoingRequest & { readonly upstream: Upstream } {
  return request.upstream !== undefined && request.target.scheme === 'http' && isHttpProxy(request.upstream);
}

/** In absolute form, and logged in. The record has what the origin is meant to get. Source: RFC 9112 §3.2.2. */
export function proxiedHead(head: Buffer, target: Target, upstream: Upstream): Buffer {
  const [method = ''] = head.toString('latin1', 0, head.indexOf(' ')).split(' ');
  const rest = head.subarray(method.length + 1 + target.path.length);
  const lineEnd = rest.indexOf('\r\n') + 2;
  const line = `${method} ${target.scheme}://${hostField(target)}${target.path}${rest.toString('latin1', 0, lineEnd)}`;
  return Buffer.concat([Buffer.from(line + proxyAuthorization(upstream), 'latin1'), rest.subarray(lineEnd)]);
}
