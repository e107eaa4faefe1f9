/** With --store-content warc the pages that workers report are records of WARC files, before their reports are answered. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { WARCParser } from 'warcio';
import { add, done, report, startQueue, statistics, take, temporaryFolder } from './support.ts';

interface Found {
  readonly type: string | undefined;
  readonly url: string | undefined;
  readonly contentType: string | undefined;
  readonly payload: Buffer;
}

async function recordsIn(dir: string): Promise<Found[]> {
  const found: Found[] = [];
  for (const name of readdirSync(dir)) {
    for await (const record of new WARCParser(createReadStream(join(dir, name)))) {
      const payload = Buffer.from(await record.readFully(false));
      const { warcType: type, warcTargetURI: url, warcContentType: contentType } = record;
      found.push({ type, url: url ?? undefined, contentType: contentType ?? undefined, payload });
    }
  }
  return found.filter(({ type }) => type !== 'warcinfo');
}

test('the page of a report is in a record when the report is answered, whatever vocabulary it is in', async () => {
  const dir = join(temporaryFolder(), 'warcs');
  await using queue = await startQueue({ storeContent: 'warc', dir });
  await add(queue, 'http://a.test/');
  await take(queue.boris, 1);
  const headers = { 'Content-Type': 'text/html; charset=utf-8' };
  const seed = await report(queue.boris, done('http://a.test/', { headers, 'content-body': '<p>schön' }));
  const bytes = Buffer.from([0, 255, 1, 254]);
  const published = await report(queue.boris, {
    url: 'http://b.test/x',
    status_code: 200,
    result: 'OK',
    headers: {},
    content: bytes.toString('base64'),
  });
  assert.deepEqual([seed.status, published.status], [200, 200]);
  assert.deepEqual(await recordsIn(dir), [
    { type: 'resource', url: 'http://a.test/', contentType: 'text/html; charset=utf-8', payload: Buffer.from('<p>schön') },
    { type: 'resource', url: 'http://b.test/x', contentType: 'application/octet-stream', payload: bytes },
  ]);
  const { urls } = (await queue.admin(`/urls?url=${encodeURIComponent('http://b.test/x')}`)).json as {
    urls: { report: { digest: string } }[];
  };
  assert.equal(urls[0]?.report.digest, `sha1:${createHash('sha1').update(bytes).digest('hex')}`);
});

test('a report without a page, or one that is refused, writes no record', async () => {
  const dir = join(temporaryFolder(), 'warcs');
  await using queue = await startQueue({ storeContent: 'warc', dir });
  await report(queue.boris, done('http://a.test/'));
  const refused = await report(queue.boris, [done('http://b.test/', { 'content-body': 'x' }), { url: 'no url', status: '200 OK' }]);
  assert.equal(refused.status, 400);
  assert.deepEqual(await recordsIn(dir), []);
});

test('a page that cannot be kept: 503, and the report is not stored', async () => {
  const dir = join(temporaryFolder(), 'warcs');
  await using queue = await startQueue({ storeContent: 'warc', dir });
  rmSync(dir, { recursive: true });
  writeFileSync(dir, 'no folder');
  const said = await report(queue.boris, done('http://a.test/', { 'content-body': 'x' }));
  assert.equal(said.status, 503);
  assert.equal((await statistics(queue))['crawled-urls'], 0);
});

test('without it no page is kept', async () => {
  const dir = join(temporaryFolder(), 'warcs');
  await using queue = await startQueue({ dir });
  await report(queue.boris, done('http://a.test/', { 'content-body': 'x' }));
  assert.throws(() => readdirSync(dir), { code: 'ENOENT' });
});
