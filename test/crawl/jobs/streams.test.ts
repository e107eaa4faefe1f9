/** Items as they are read: in pages, as streams that go on where they were left, with their bodies, tied to their records. */
import assert from 'node:assert/strict';
import { renameSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { JobRunState } from '../../../src/crawl/proto/starbelly_pb.ts';
import type { ReadItem } from '../../../src/crawl/jobs/types.ts';
import { readWarc } from '../../../src/warc/read/reader.ts';
import { allItems, crawl, openCrawls, pages, policy, startSite, temporaryFolder, textOf } from './support.ts';

const HTML = { 'Content-Type': 'text/html' };
const SAVE_ALL = [{ save: true }];
const chain = (length: number) =>
  Object.fromEntries(Array.from({ length }, (_, n) => [n === 0 ? '/' : `/${n}`, `page ${n} <a href="/${n + 1}">`]));

test('a stream has all items in order, and goes on after any of them, in another process, too', async (t) => {
  const site = await startSite(t, pages({ ...chain(6), '/6': 'end' }));
  const folder = temporaryFolder();
  const [{ id }, all] = await (async () => {
    await using crawls = await openCrawls({ folder });
    const made = await crawl(crawls, site.url);
    assert.deepEqual(
      made[1].map(({ sequence }) => sequence),
      [1, 2, 3, 4, 5, 6, 7],
    );
    assert.deepEqual(
      (await allItems(crawls, made[0].id, 3)).map(({ sequence }) => sequence),
      [4, 5, 6, 7],
    );
    return made;
  })();
  await using crawls = await openCrawls({ folder });
  assert.deepEqual(await allItems(crawls, id, 0), all);
  assert.deepEqual((await allItems(crawls, id, 5)).map(textOf), all.slice(5).map(textOf));
  const [, more] = await crawl(crawls, site.url);
  assert.equal(more[0]?.sequence, 8, 'numbers are those of all jobs');
  await assert.rejects(crawls.jobs.itemsAfter(new Uint8Array(16), 0, { compressionOk: true }), {
    message: 'No job exists with ID=00000000-0000-0000-0000-000000000000',
  });
});

test('an item comes as soon as it is stored, while its job runs, and the stream ends with the job', async (t) => {
  let answerLast = () => undefined as unknown;
  const site = await startSite(t, (request, response) => {
    if (request.url === '/') response.writeHead(200, HTML).end('<a href="/last">');
    else answerLast = () => response.writeHead(200, HTML).end('last');
  });
  await using crawls = await openCrawls();
  const id = await crawls.jobs.create({ seeds: [site.url], policy: policy() });
  const items = (await crawls.jobs.itemsAfter(id, 0, { compressionOk: true }))[Symbol.asyncIterator]();
  const first = await items.next();
  assert.equal((first.value as ReadItem).url, `${site.url}/`);
  assert.equal((await crawls.jobs.get(id)).counts.items, 1);
  const second = items.next();
  while (site.asked.length < 2) await new Promise((done) => setImmediate(done));
  answerLast();
  assert.equal(((await second).value as ReadItem).url, `${site.url}/last`);
  assert.equal((await items.next()).done, true);
});

test('bodies are packed where that is wanted and worth it, whatever coding they came in', async (t) => {
  const page = '<a href="/packed"><a href="/image">';
  const site = await startSite(t, (request, response) => {
    if (request.url === '/image') response.writeHead(200, { 'Content-Type': 'image/png' }).end('not really');
    else if (request.url === '/packed')
      response.writeHead(200, { ...HTML, 'Content-Encoding': 'gzip' }).end(gzipSync('a packed page <a href="/inner">'));
    else response.writeHead(200, HTML).end(request.url === '/' ? page : 'inner');
  });
  await using crawls = await openCrawls();
  const [job, plain] = await crawl(crawls, site.url, policy({ mimeTypeRules: SAVE_ALL }));
  const texts: Record<string, string | undefined> = Object.fromEntries(plain.map((item) => [new URL(item.url).pathname, textOf(item)]));
  assert.deepEqual({ ...texts }, { '/': page, '/packed': 'a packed page <a href="/inner">', '/image': 'not really', '/inner': 'inner' });
  assert.ok(plain.every((item) => item.body?.isCompressed === false));
  for (const { url, body, answer } of await allItems(crawls, job.id, 0, true)) {
    assert.ok(body !== undefined && answer !== undefined);
    const isText = answer.contentType.startsWith('text/');
    assert.equal(body.isCompressed, isText);
    const bytes = Buffer.from(body.bytes);
    assert.equal((isText ? gunzipSync(bytes) : bytes).toString(), texts[new URL(url).pathname]);
  }
});

test('an item tells its record, and its body outlives the move of the WARC file until the job is deleted', async (t) => {
  const site = await startSite(
    t,
    pages({ '/': 'the same text, long enough <a href="/two">', '/two': 'the same text, long enough <a href="/two">' }),
  );
  const folder = temporaryFolder();
  await using crawls = await openCrawls({ folder, core: { dedupMinTextSize: 0 } });
  const [job, items] = await crawl(crawls, site.url);
  const types: string[] = [];
  for (const { record, url } of items) {
    const file = readdirSync(crawls.warcDir).find((name) => name.replace(/\.open$/, '') === record?.file);
    const records = readWarc(join(crawls.warcDir, file ?? ''), { start: record?.offset ?? 0 });
    const { value: read } = await records.next();
    assert.ok(read !== undefined);
    assert.deepEqual([read.header('WARC-Record-ID'), read.header('WARC-Target-URI')], [record?.id, url]);
    types.push(read.type);
    await records.return();
  }
  assert.deepEqual(types, ['response', 'revisit']);
  assert.deepEqual(items.map(textOf), Array(2).fill('the same text, long enough <a href="/two">'));
  assert.match(JSON.stringify(crawls.core.figures()), /"duplicates":1/);
  await crawls.close();
  await using later = await openCrawls({ folder, core: { dir: join(folder, 'new-warcs') } });
  renameSync(join(folder, 'warcs'), join(folder, 'moved'));
  assert.deepEqual((await allItems(later, job.id)).map(textOf), items.map(textOf));
  assert.equal(readdirSync(join(folder, 'kept-warcs')).length, 1);
  await later.jobs.delete(job.id);
  await later.close();
  assert.deepEqual(readdirSync(join(folder, 'kept-warcs')), []);
  assert.equal(readdirSync(join(folder, 'moved')).length, 1, "the file itself is nobody's to delete");
});

test('items are read in pages of the kinds that are asked for', async (t) => {
  const site = await startSite(t, pages({ '/': '<a href="/no1"><a href="/b"><a href="/no2"><a href="/c">', '/b': '', '/c': '' }));
  await using crawls = await openCrawls();
  const [{ id }, all] = await crawl(crawls, site.url);
  const read = async (success: boolean, error: boolean, offset: number, limit: number) => {
    const { found, total } = await crawls.jobs.items(id, { success, error, exception: false }, { offset, limit, bodies: 'packed' });
    return [total, found.map(({ url }) => new URL(url).pathname)];
  };
  const paths = (wanted: (status: number) => boolean) =>
    all.filter(({ answer }) => wanted(answer?.status ?? 0)).map(({ url }) => new URL(url).pathname);
  assert.deepEqual(await read(true, true, 1, 3), [5, paths(() => true).slice(1, 4)]);
  assert.deepEqual(await read(true, false, 1, 10), [3, paths((status) => status === 200).slice(1)]);
  assert.deepEqual(await read(false, true, 0, 1), [2, paths((status) => status === 404).slice(0, 1)]);
  assert.deepEqual(await read(true, true, 0, 0), [5, []]);
});

test('the stream of a job that is deleted breaks off, that of one that is paused waits', async (t) => {
  const site = await startSite(t, (_request, response) => response.writeHead(200, HTML).end(`<a href="/${site.asked.length}">`));
  await using crawls = await openCrawls();
  const id = await crawls.jobs.create({ seeds: [site.url], policy: policy({ limits: { maxCost: 1e9 } }) });
  const items = (await crawls.jobs.itemsAfter(id, 0, { compressionOk: true }))[Symbol.asyncIterator]();
  await items.next();
  await crawls.jobs.setState(id, JobRunState.PAUSED);
  const { counts } = await crawls.jobs.get(id);
  for (let item = 1; item < counts.items; item++) await items.next();
  const waiting = items.next();
  await crawls.jobs.setState(id, JobRunState.CANCELLED);
  assert.equal((await waiting).done, true);
  const again = (await crawls.jobs.itemsAfter(id, 0, { compressionOk: true }))[Symbol.asyncIterator]();
  await again.next();
  await crawls.jobs.delete(id);
  await assert.rejects(
    async () => {
      while ((await again.next()).done !== true);
    },
    { name: 'JobDeletedError' },
  );
  await assert.rejects(crawls.jobs.get(id), /^Failure: No job exists/);
});
