/**
 * User and password in a URL: whatever becomes of the request, they are in no record, no log and no answer.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { answered, keptLog, startApi, WAYS } from '../support/api.ts';

const SECRET = 'hunter2';

for (const way of WAYS) {
  test(`a password is nowhere but with the client, ${way}`, async (t) => {
    const log = keptLog();
    const logs = await mkdtemp(join(tmpdir(), 'warctap-test-user-info-'));
    t.after(() => rm(logs, { recursive: true }));
    await using api = await startApi(way, { log, crawlLogDir: logs, playbackPort: 0 });
    const withUser = (path: string) => api.url(path).replace('//', `//user:${SECRET}@`);
    using disguised = await api.connect();
    disguised.send(`GET ${way === 'over HTTP' ? api.url('/x') : '/x'} HTTP/1.1\r\nHost: user:${SECRET}@127.0.0.1\r\n\r\n`);
    const answers = [
      await api.ask(withUser('/a?b#c'), { meta: { accept: ['capture-metadata'] } }),
      await api.ask(withUser('')),
      await api.ask(withUser('/blocked'), { meta: { blocks: [{ substring: 'blocked' }] } }),
      await api.ask(withUser('/limited'), { meta: { limits: { '__all__/total/urls': 2 } } }),
      await api.ask(`http://user:${SECRET}@127.0.0.1:9/`),
      await api.ask(`http://user:${SECRET}@no host/`),
      await api.ask(`ftp://user:${SECRET}@127.0.0.1/`),
      await api.ask('/x', { more: `Host: user:${SECRET}@127.0.0.1\r\n` }),
      await answered(disguised),
      await api.write(withUser('/record'), 'z'),
      await api.write(`screenshot:${withUser('/record')}`, 'z'),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 403, 420, way === 'over HTTP' ? 502 : 400, 400, 400, 400, 400, 204, 204],
    );
    for (const { text } of answers) assert.ok(!text.includes(SECRET), text);
    assert.deepEqual(
      api.origin.requests.map(({ bytes }) => bytes.toString()),
      ['/a?b', '/'].map((path) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${api.origin.port}\r\n\r\n`),
    );
    const records = await api.proxy.records();
    assert.deepEqual(
      [...new Set(records.map(({ url }) => url))].sort(),
      [api.url('/'), api.url('/a?b'), api.url('/record'), `screenshot:${api.url('/record')}`].sort(),
    );
    for (const folder of [join(api.proxy.dir, 'warcs'), logs, join(api.proxy.dir, 'db')]) {
      const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
      assert.ok(files.length > 0);
      for (const { parentPath, name } of files) assert.ok(!(await readFile(join(parentPath, name))).includes(SECRET), name);
    }
    assert.deepEqual(
      log.lines.filter((line) => line.includes(SECRET)),
      [],
    );
  });
}
