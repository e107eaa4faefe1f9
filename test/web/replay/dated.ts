/** A proxy whose archive has pages of several dates, made by hand: nobody waits for time to pass. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { WarctapOptions } from '../../../src/index.ts';
import { rebuild } from '../../../src/programs/rebuild.ts';
import { silentLog } from '../../../src/util/log.ts';
import { startProxy, type TestProxy } from '../../support/proxy.ts';

export interface Dated {
  readonly url: string;
  /** such as `2020-01-02T03:04:05Z` */
  readonly date: string;
  readonly head: string;
  readonly body: string | Buffer;
}

export function page(url: string, date: string, body: string, type = 'text/html'): Dated {
  return { url, date, body, head: `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n` };
}

export async function startDated(t: TestContext, captures: readonly Dated[], options: WarctapOptions = {}): Promise<TestProxy> {
  const dir = await mkdtemp(join(tmpdir(), 'warctap-dated-'));
  const [warcs, db] = [join(dir, 'warcs'), join(dir, 'db')];
  await mkdir(warcs);
  await writeFile(join(warcs, 'dated.warc.gz'), Buffer.concat(captures.map(recordOf)));
  await rebuild({ folder: db, from: warcs, bucket: '', onFault: (file, problem) => t.diagnostic(`${file}: ${problem}`), log: silentLog });
  const proxy = await startProxy({ playbackPort: 0, dedupDbFile: db, statsDbFile: db, ...options }, dir);
  t.after(async () => {
    await proxy[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  });
  return proxy;
}

function recordOf({ url, date, head, body }: Dated): Buffer {
  const block = Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body)]);
  const fields = [
    'WARC/1.1',
    'WARC-Type: response',
    `WARC-Record-ID: <urn:uuid:${randomUUID()}>`,
    `WARC-Target-URI: ${url}`,
    `WARC-Date: ${date}`,
    `WARC-Payload-Digest: sha1:${createHash('sha1').update(body).digest('hex')}`,
    'Content-Type: application/http;msgtype=response',
    `Content-Length: ${block.length}`,
  ];
  return gzipSync(Buffer.concat([Buffer.from(`${fields.join('\r\n')}\r\n\r\n`), block, Buffer.from('\r\n\r\n')]));
}
