/** Who may call what, and what everybody is answered. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createLog } from '../../src/cli/log.ts';
import { RawClient } from '../support/client.ts';
import { add, ADMIN, ask, BORIS, startQueue, take, temporaryFolder, type TestQueue } from './support.ts';

let queue: TestQueue;
before(async () => (queue = await startQueue()));
after(() => queue.close());

const SEED_KEY = 'Boris:bhi&FG45ef^^oyNIbJ\\fdp]ax%c4s&F^">~0=z3mddYb_d';
const ADMIN_PATHS = ['/statistics', '/temp-new-links', '/api-keys', '/control', '/active', '/overview', '/hosts', '/urls'];
const WORKER_PATHS = ['/crawl-queue', '/report', '/worker'];

describe('the order of what is looked at', () => {
  test('a path that there is not: 404, whoever asks', async () => {
    for (const path of ['/nothing', '/crawl-queue/', '/Statistics', '*', '/page/nothing.js', '//', '/api-keysx']) {
      const said = await ask(queue.url, path, { method: 'OPTIONS' });
      assert.equal(said.status, 404, path);
      assert.equal(said.headers.server, 'heroshi-manager');
    }
  });

  test('no key, a wrong one, two of them: 401, also where the method is wrong', async () => {
    for (const path of [...ADMIN_PATHS, ...WORKER_PATHS]) {
      const without = await ask(queue.url, path, { method: 'DELETE' });
      assert.equal(without.status, 401, path);
      assert.equal(without.text, 'Authentication header X-Heroshi-Auth not found.\n');
      assert.equal(without.headers['www-authenticate'], 'X-Heroshi-Auth');
    }
    for (const key of ['boris:wrong-key-of-his', BORIS.toUpperCase(), [BORIS, BORIS], [ADMIN, ADMIN]]) {
      const wrong = await ask(queue.url, '/worker', { key });
      assert.equal(wrong.status, 401, String(key));
      assert.equal(wrong.text, 'Key is not authorized.\n');
    }
  });

  test('a worker on the paths of the administrator: 403; the administrator may go anywhere', async () => {
    for (const path of ADMIN_PATHS) {
      for (const method of ['GET', 'POST', 'PATCH']) {
        const said = await queue.boris(path, { method });
        assert.deepEqual([said.status, said.text], [403, 'Not allowed.\n'], path);
      }
      assert.notEqual((await queue.admin(path)).status, 403);
    }
    assert.equal((await queue.admin('/worker')).status, 200);
  });

  test('another method: 405, with those that there are', async () => {
    const allowed = {
      '/crawl-queue': 'POST, DELETE',
      '/report': 'PUT, POST',
      '/worker': 'GET, HEAD',
      '/statistics': 'GET, HEAD',
      '/temp-new-links': 'GET, HEAD, POST',
      '/api-keys': 'GET, HEAD, POST',
      '/api-keys/x': 'DELETE',
      '/control': 'GET, HEAD, PUT',
      '/active': 'GET, HEAD, DELETE',
    };
    for (const [path, methods] of Object.entries(allowed)) {
      for (const method of ['PATCH', 'OPTIONS', 'TRACE', 'get', 'BREW']) {
        const client = await RawClient.connect(Number(new URL(queue.url).port));
        client.send(`${method} ${path} HTTP/1.1\r\nHost: q\r\nX-Heroshi-Auth: ${ADMIN}\r\n\r\n`);
        const head = await client.head();
        assert.match(head, /^HTTP\/1\.1 405 /, `${method} ${path}`);
        assert.ok(head.includes(`\r\nAllow: ${methods}\r\n`), head);
        client[Symbol.dispose]();
      }
    }
    assert.equal((await queue.boris('/crawl-queue')).status, 405);
  });
});

describe('keys', () => {
  test('one is added, works at once, and is the same the next time; its name belongs to it', async () => {
    const post = (key: string) => queue.admin('/api-keys', { body: key });
    assert.deepEqual([(await post('carl:foo-bar-long-key')).status, (await post('carl:foo-bar-long-key\n')).status], [201, 200]);
    assert.equal((await ask(queue.url, '/worker', { key: 'carl:foo-bar-long-key' })).status, 200);
    const taken = await post('carl:other-long-key');
    assert.deepEqual([taken.status, taken.text], [409, 'Name is taken.\n']);
    assert.equal((await post(ADMIN)).status, 409);
    assert.equal((await post('admin:another-long-key')).status, 409);
  });

  test('what is no key is refused', async () => {
    for (const key of [
      '',
      'a:short',
      ' leading:space-key',
      'two\nlines-of-it',
      'tab\tin-a-key',
      'ключ:long-enough-key',
      'x'.repeat(1025),
    ]) {
      const said = await queue.admin('/api-keys', { body: key.replace('a:short', 'a:short').slice(0, 1100) });
      assert.equal(said.status, 400, JSON.stringify(key));
      assert.match(said.text, /^[^\n]+\n$/);
    }
    assert.equal((await queue.admin('/api-keys', { body: `${'n'.repeat(65)}:secret-key` })).status, 400);
  });

  test('one that is short is logged as weak when it is added, and at each start, by its name alone', async () => {
    const lines: string[] = [];
    const log = createLog({ level: 'warn', output: { write: (line) => lines.push(line) } });
    const folder = temporaryFolder();
    for (let start = 0; start < 2; start++) {
      await using queue = await startQueue({}, folder, log);
      assert.equal((await queue.admin('/api-keys', { body: 'eve:short-one' })).status, start === 0 ? 201 : 200);
    }
    assert.equal(lines.filter((line) => line.includes('this key is weak') && line.includes('"name":"eve"')).length, 2);
    assert.ok(!lines.some((line) => line.includes('short-one')));
  });

  test('two fields are no key, not even where they are one that was cut at a comma', async () => {
    assert.equal((await queue.admin('/api-keys', { body: 'comma:first-half, second-half' })).status, 201);
    assert.equal((await ask(queue.url, '/worker', { key: 'comma:first-half, second-half' })).status, 200);
    assert.equal((await ask(queue.url, '/worker', { key: ['comma:first-half', 'second-half'] })).status, 401);
  });

  test('in a path it is not logged: its name may be, and one without a colon is all secret', async () => {
    const lines: string[] = [];
    const log = createLog({ level: 'trace', output: { write: (line) => lines.push(line) } });
    await using queue = await startQueue({}, temporaryFolder(), log);
    for (const path of ['eve:the-secret-part', 'eve%3Athe-secret-part', 'all-of-it-secret-x', 'bob'])
      await queue.admin(`/api-keys/${path}`, { method: 'DELETE' });
    const paths = lines.map((line) => (JSON.parse(line) as { path?: string }).path).filter((path) => path?.startsWith('/api-keys/'));
    assert.deepEqual(paths, ['/api-keys/eve:***', '/api-keys/eve:***', '/api-keys/***', '/api-keys/***']);
    assert.ok(!lines.join('').includes('secret-'));
  });

  test('those that are kept readable are hashed as soon as that is wanted, and leave the files', async () => {
    const folder = temporaryFolder();
    const secret = 'greta:kept-readable-at-first';
    const inFiles = () =>
      readdirSync(join(folder, 'queue.db')).some((name) => readFileSync(join(folder, 'queue.db', name)).includes('kept-readable-at-first'));
    {
      await using first = await startQueue({}, folder);
      await first.admin('/api-keys', { body: secret });
      assert.ok(inFiles());
    }
    await using second = await startQueue({ hashKeys: true }, folder);
    assert.equal((await ask(second.url, '/worker', { key: secret })).status, 200);
    const { workers } = (await second.admin('/statistics')).json as { workers: { key: string; name: string }[] };
    assert.equal(workers.find(({ name }) => name === 'greta')?.key, 'greta:***');
    assert.ok(!inFiles());
  });

  test('one that is removed while the body of a call is under way gets nothing any more', async () => {
    await using queue = await startQueue();
    await queue.admin('/api-keys', { body: 'slow:some-long-key-x' });
    await add(queue, 'http://never-given.test/');
    using client = await RawClient.connect(Number(new URL(queue.url).port));
    client.send(
      'POST /crawl-queue HTTP/1.1\r\nHost: q\r\nX-Heroshi-Auth: slow:some-long-key-x\r\nExpect: 100-continue\r\nContent-Length: 7\r\n\r\n',
    );
    assert.match(await client.head(), /^HTTP\/1\.1 100 /);
    await queue.admin('/api-keys/slow', { method: 'DELETE' });
    client.send('limit=9');
    assert.match(await client.head(), /^HTTP\/1\.1 401 /);
    assert.deepEqual((await queue.admin('/active')).json, []);
  });

  test('one without a colon is a key, too, and has a name', async () => {
    assert.equal((await queue.admin('/api-keys', { body: 'justalongenoughstring' })).status, 201);
    assert.equal((await ask(queue.url, '/worker', { key: 'justalongenoughstring' })).status, 200);
    const keys = (await queue.admin('/api-keys')).json as { name: string; created: string; 'last-seen': string | null }[];
    const [known] = keys.filter(({ name }) => /^key-[0-9a-f]{8}$/.test(name));
    assert.match(known?.created ?? '', /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/);
    assert.match(known?.['last-seen'] ?? '', /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/);
  });

  test('the one of the wiki page, in the header and percent-encoded in the path', async () => {
    assert.equal((await queue.admin('/api-keys', { body: SEED_KEY })).status, 201);
    assert.equal((await ask(queue.url, '/worker', { key: SEED_KEY })).status, 200);
    const path = `/api-keys/${encodeURIComponent(SEED_KEY)}`;
    assert.equal((await queue.admin(path, { method: 'DELETE' })).status, 200);
    assert.equal((await ask(queue.url, '/worker', { key: SEED_KEY })).status, 401);
    assert.equal((await queue.admin(path, { method: 'DELETE' })).status, 404);
  });

  test('what need not be encoded may be raw, and a name is enough', async () => {
    const key = `raw:&^^\\]|{}<>~=\`'"!$()*+,;@`;
    assert.equal((await queue.admin('/api-keys', { body: key })).status, 201);
    const client = await RawClient.connect(Number(new URL(queue.url).port));
    client.send(`DELETE /api-keys/${key} HTTP/1.1\r\nHost: q\r\nX-Heroshi-Auth: ${ADMIN}\r\n\r\n`);
    assert.match(await client.head(), /^HTTP\/1\.1 200 /);
    client[Symbol.dispose]();
    assert.equal((await queue.admin('/api-keys', { body: 'named:some-long-key' })).status, 201);
    assert.equal((await queue.admin('/api-keys/named', { method: 'DELETE' })).status, 200);
    assert.equal((await queue.admin('/api-keys/%zz', { method: 'DELETE' })).status, 400);
    assert.equal((await queue.admin(`/api-keys/${ADMIN}`, { method: 'DELETE' })).status, 403);
  });

  test('a revoked key is refused at once, and what its worker had goes to another', async () => {
    await queue.admin('/api-keys', { body: 'dora:foo-bar-long-key' });
    await add(queue, 'http://revoked.test/');
    const dora = (path: string, asking = {}) => ask(queue.url, path, { key: 'dora:foo-bar-long-key', ...asking });
    assert.deepEqual(await take(dora, 10), ['http://revoked.test/']);
    assert.deepEqual(await take(queue.inga, 10), []);
    assert.equal((await queue.admin('/api-keys/dora:foo-bar-long-key', { method: 'DELETE' })).status, 200);
    assert.equal((await dora('/worker')).status, 401);
    assert.deepEqual(await take(queue.inga, 10), ['http://revoked.test/']);
  });

  test('with --hash-keys none stands in the database or is shown, and all work after a restart', async () => {
    await using hashed = await startQueue({ hashKeys: true });
    assert.equal((await hashed.boris('/worker')).status, 200);
    const { workers } = (await hashed.admin('/statistics')).json as { workers: { key: string }[] };
    assert.deepEqual(
      workers.map(({ key }) => key),
      ['boris:***', 'inga:***'],
    );
    await hashed.close();
    await using again = await startQueue({ hashKeys: true }, hashed.folder);
    assert.equal((await ask(again.url, '/worker', { key: BORIS })).status, 200);
    assert.equal((await ask(again.url, '/worker', { key: `${BORIS}x` })).status, 401);
  });
});

describe('answers', () => {
  test('have an ETag, by which the same answer is not sent twice', async () => {
    await add(queue, 'http://etag.test/');
    const first = await queue.admin('/temp-new-links');
    const tag = String(first.headers.etag);
    assert.match(tag, /^"[A-Za-z0-9+/]{43}="$/);
    for (const condition of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const again = await queue.admin('/temp-new-links', { headers: { 'If-None-Match': condition } });
      assert.deepEqual([again.status, again.text], [304, ''], condition);
    }
    assert.equal((await queue.admin('/temp-new-links', { headers: { 'If-None-Match': '"other"' } })).status, 200);
    const head = await queue.admin('/temp-new-links', { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers.etag, head.text], [200, tag, '']);
  });

  test('are packed when the caller takes gzip and they are long', async () => {
    await add(queue, ...Array.from({ length: 20 }, (_, index) => `http://long.test/${index}`));
    const packed = await queue.admin('/temp-new-links', { headers: { 'Accept-Encoding': 'gzip' } });
    assert.equal(packed.headers['content-encoding'], 'gzip');
    const plain = await queue.admin('/temp-new-links');
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.equal(gunzipSync(packed.bytes).toString(), plain.text);
    assert.equal(packed.headers.etag, plain.headers.etag);
    assert.equal((await queue.admin('/worker', { headers: { 'Accept-Encoding': 'gzip' } })).headers['content-encoding'], undefined);
    assert.equal(
      (await queue.admin('/temp-new-links', { headers: { 'Accept-Encoding': 'gzip;q=0' } })).headers['content-encoding'],
      undefined,
    );
  });

  test('to what is no HTTP say who answers, too', async () => {
    const client = await RawClient.connect(Number(new URL(queue.url).port));
    client.send('not http at all\r\n\r\n');
    assert.match(await client.head(), /^HTTP\/1\.1 400 [^]*\r\nServer: heroshi-manager\r\n/);
    client[Symbol.dispose]();
  });
});
