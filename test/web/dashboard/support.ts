/** A proxy with captures of each kind, and a site for them. */
import { gzipSync } from 'node:zlib';
import type { WarctapOptions } from '../../../src/index.ts';
import { RawClient } from '../../support/client.ts';
import { startOrigin } from '../../support/origin.ts';
import { startProxy, type TestProxy } from '../../support/proxy.ts';

export const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
export const MARKUP = '<!doctype html><title>x</title><img src=x onerror="document.title=\'run\'"><script>document.title="run"</script>';
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" onload="document.title=\'run\'"/>';

const ANSWERS: Readonly<Record<string, readonly [type: string, body: string | Buffer, more?: string]>> = {
  '/markup': ['text/html; charset=utf-8', MARKUP],
  '/again': ['text/html; charset=utf-8', MARKUP],
  '/pixel.png': ['image/png', PIXEL],
  '/lies.png': ['image/png', MARKUP],
  '/drawn.svg': ['image/svg+xml', SVG],
  '/latin': ['text/plain; charset=iso-8859-1', Buffer.from('caf\xe9', 'latin1')],
  '/packed': ['text/plain', gzipSync('packed text\n'.repeat(10)), 'Content-Encoding: gzip\r\n'],
  '/bomb': ['text/plain', gzipSync(Buffer.alloc(60_000_000, 'a')), 'Content-Encoding: gzip\r\n'],
  '/binary': ['application/octet-stream', Buffer.from([1, 0, 2, 0])],
  '/empty': ['text/plain', ''],
};

export interface Busy extends AsyncDisposable {
  readonly proxy: TestProxy;
  readonly site: string;
  /** fetch through the proxy, and wait until it has left the chain */
  get(path: string, meta?: string, host?: string): Promise<void>;
}

/** @param paths fetched at the start; `/gone` leads nowhere */
export async function busyProxy(paths: readonly string[] = Object.keys(ANSWERS), options: WarctapOptions = {}): Promise<Busy> {
  const origin = await startOrigin(({ path, socket }) => {
    if (path === '/drop') return socket.destroy();
    const [type, body, more = ''] = ANSWERS[path.split('?', 1)[0] ?? ''] ?? ['text/plain', `this is ${path}`];
    socket.write(
      `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${more}X-Marked: <b>bold</b>\r\n\r\n`,
    );
    return socket.write(body);
  });
  const proxy = await startProxy(options);
  const client = await RawClient.connect(proxy.port);
  let count = 0;
  const get = async (path: string, meta = '{}') => {
    client.send(`GET ${origin.url}${path} HTTP/1.1\r\nHost: x\r\nWarcprox-Meta: ${meta}\r\n\r\n`);
    await client.response();
    await proxy.captured(++count);
  };
  for (const path of paths) await get(path);
  return {
    proxy,
    site: origin.url,
    get,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await proxy[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    },
  };
}
