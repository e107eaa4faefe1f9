/** Indexes that are kept beside WARC files: what `warctap cdxj` says of them, whatever was written and however it ended. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as passed } from 'node:timers/promises';
import { cdxjLine, indexFile } from '../../src/warc/tools/cdx.ts';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { startProgram } from '../support/program.ts';
import { startProxy } from '../support/proxy.ts';

async function indexOf(file: string, filename: string): Promise<string> {
  const lines = new Set<string>();
  await indexFile(file, { filename, onEntry: (entry) => void lines.add(cdxjLine(entry)), onFault: (fault) => assert.fail(fault.problem) });
  return [...lines].sort().join('');
}

async function ask(port: number, request: string): Promise<void> {
  using client = await RawClient.connect(port);
  client.send(request);
  await client.response();
}

/** One of each kind: pages, one of them twice, a redirect, bodies that were sent, records of a client. */
async function visit(port: number, { url }: Origin, times = 1): Promise<void> {
  for (let nth = 0; nth < times; nth++) {
    for (const path of [
      `/z?b=${nth}&A=1`,
      '/same',
      '/same',
      `/moved/${nth}`,
      `/ü "${nth}"`.replaceAll(' ', '%20').replaceAll('"', '%22').replace('ü', '%C3%BC'),
    ])
      await ask(port, get(`${url}${path}`));
    const body = `a=${nth}&b=c+d`;
    const fields = `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n`;
    await ask(port, get(`${url}/post`, fields).replace('GET', 'POST') + body);
    const record = `text ${nth}`;
    const head = `WARCPROX_WRITE_RECORD urn:x:${nth} HTTP/1.1\r\nHost: x\r\nWARC-Type: metadata\r\nContent-Type: text/plain\r\n`;
    await ask(port, `${head}Content-Length: ${record.length}\r\n\r\n${record}`);
  }
}

function startSite(): Promise<Origin> {
  return startOrigin(({ path, socket }) =>
    socket.write(
      path.startsWith('/moved')
        ? 'HTTP/1.1 301 Moved\r\nLocation: /z\r\nContent-Length: 0\r\n\r\n'
        : ok(path === '/same' ? 'same' : path, 'Content-Type: Text/HTML;x\r\n'),
    ),
  );
}

const warcs = (dir: string) => readdirSync(dir).filter((name) => /\.warc(\.gz)?$/.test(name));

for (const gzip of [false, true])
  test(`an index stands beside each file, the same as of the file itself (${gzip ? 'gzip' : 'plain'})`, async () => {
    await using site = await startSite();
    await using proxy = await startProxy({ cdxj: true, gzip, size: 6000, recordFailures: true, tlsEvidence: 'chain' });
    await visit(proxy.port, site, 5);
    await ask(proxy.port, get('http://127.0.0.1:1/refused'));
    await proxy.proxy.close();
    const dir = join(proxy.dir, 'warcs');
    assert.ok(warcs(dir).length > 2);
    let lines = 0;
    for (const name of warcs(dir)) {
      const index = readFileSync(join(dir, `${name}.cdxj`), 'utf8');
      assert.equal(index, await indexOf(join(dir, name), name));
      lines += index.split('\n').length - 1;
    }
    assert.ok(lines >= 30, String(lines));
    assert.deepEqual(
      readdirSync(dir).filter((name) => !/\.warc(\.gz)?(\.cdxj)?$/.test(name)),
      [],
    );
  });

test('lines come as records are written', async () => {
  await using site = await startSite();
  await using proxy = await startProxy({ cdxj: true });
  await visit(proxy.port, site);
  const dir = join(proxy.dir, 'warcs');
  const begun = () => readdirSync(dir).find((name) => name.endsWith('.cdxj.open'));
  while (begun() === undefined || !readFileSync(join(dir, begun()!), 'utf8').includes('/post')) await passed(20);
  assert.match(begun()!, /\.warc\.cdxj\.open$/);
});

test('a file that got another name, or lines that somebody has changed: the index is made of the file', async () => {
  await using site = await startSite();
  await using proxy = await startProxy({ cdxj: true });
  await visit(proxy.port, site);
  const dir = join(proxy.dir, 'warcs');
  const open = readdirSync(dir).find((name) => name.endsWith('.warc.open'))!;
  writeFileSync(join(dir, open.replace('.open', '')), 'of another');
  writeFileSync(join(dir, `${open.replace('.open', '')}.cdxj.open`), 'no line\n');
  await proxy.proxy.close();
  const other = warcs(dir).find((name) => name !== open.replace('.open', ''))!;
  assert.equal(readFileSync(join(dir, `${other}.cdxj`), 'utf8'), await indexOf(join(dir, other), other));
});

test(
  'after kill -9, and where one is missing or older than its file, the next start makes the indexes',
  { timeout: 120_000 },
  async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'warctap-index-'));
    t.after(() => rm(dir, { recursive: true, force: true }));
    await using site = await startSite();
    const folder = join(dir, 'warcs');
    {
      await using program = await startProgram(dir, ['--cdxj', '--gzip', '--size', '5000']);
      await visit(program.port, site, 4);
      while (!readdirSync(folder).some((name) => name.endsWith('.cdxj'))) await passed(20);
      program.child.kill('SIGKILL');
      await program.ended;
    }
    assert.ok(readdirSync(folder).some((name) => name.endsWith('.warc.gz.open')));
    const [first = '', second = ''] = warcs(folder);
    rmSync(join(folder, `${first}.cdxj`), { force: true });
    writeFileSync(join(folder, `${second}.cdxj`), 'old\n');
    utimesSync(join(folder, `${second}.cdxj`), 0, 0);
    writeFileSync(join(folder, 'gone.warc.gz.cdxj.open'), 'of no file\n');
    await using program = await startProgram(dir, ['--cdxj', '--gzip']);
    const missing = () =>
      warcs(folder).filter((name) => !existsSync(join(folder, `${name}.cdxj`)) || statSync(join(folder, `${name}.cdxj`)).mtimeMs < 1);
    while (missing().length > 0) await passed(20);
    for (const name of warcs(folder))
      assert.equal(readFileSync(join(folder, `${name}.cdxj`), 'utf8'), await indexOf(join(folder, name), name));
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith('.open')),
      [],
    );
    program.child.kill('SIGTERM');
    assert.deepEqual(await program.ended, [0, null]);
  },
);

test('an index that cannot be written costs nothing but the index, and is told', async () => {
  await using site = await startSite();
  const told: string[] = [];
  const log = { debug() {}, info() {}, warn() {}, error: (_: object, message: string) => void told.push(message) };
  await using proxy = await startProxy({
    collection: await mkdtemp(join(tmpdir(), 'warctap-collection-')),
    dir: './warcs',
    cdxj: true,
    log,
  });
  const collection = join(proxy.proxy.warcDir, '..');
  await visit(proxy.port, site);
  renameSync(join(collection, 'indexes'), join(collection, 'moved'));
  writeFileSync(join(collection, 'indexes'), 'a file');
  await proxy.proxy.close();
  assert.equal(warcs(proxy.proxy.warcDir).length, 1);
  assert.ok(
    told.some((line) => line.startsWith('the index of a WARC file could not be written: ')),
    told.join('\n'),
  );
  await rm(collection, { recursive: true });
});

test('two folders at once are refused', async () => {
  await assert.rejects(startProxy({ collection: 'c', dir: 'd' }), /no --dir beside --collection c/);
});
