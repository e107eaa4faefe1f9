/**
 * A tunnel through an HTTP proxy, on a connection to it.
 *
 * Source: RFC 9110 §9.3.6.
 */
import type { Socket } from 'node:net';
import { FetchError } from '../http/fetch-error.ts';
import { parseResponseHead } from '../http1/head.ts';
import { reasonOf } from '../util/thrown.ts';
import { proxyAuthorization, type Upstream } from './upstream.ts';

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
