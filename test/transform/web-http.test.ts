/** The paths behind the web page, without a browser. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { safeFileName } from '../../src/transform/file-name.ts';
import { startService, Workplace, type Service } from './support.ts';

const place = new Workplace();
place.write('web.mjs', 'export function breaks() { throw new Error("no paper left"); }');
let service: Service;
let url = '';

before(async () => {
  service = await startService(place, ['run'], {
    CIRCE_ENABLE_WEB_UI: '1',
    CIRCE_WEB_UI_CRYPT_KEY: 'key',
    CIRCE_USE_AUTH: '1',
    CIRCE_TRANSFORMATIONS_MODULE: 'web',
    CIRCE_MAX_BODY: '100000',
    CIRCE_MAX_MEMBERS: '5',
  });
  ({ url } = service);
});
after(async () => {
  await service[Symbol.asyncDispose]();
});

async function begin(cookie = ''): Promise<{ readonly cookie: string; readonly set: string }> {
  const answer = await fetch(`${url}/ui/`, { headers: { cookie } });
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type') ?? '', /^text\/html/);
  const set = answer.headers.get('set-cookie') ?? '';
  return { set, cookie: set.split(';', 1)[0] ?? '' };
}

function form(...names: readonly string[]): FormData {
  const data = new FormData();
  for (const name of names) data.append('file', new Blob([`text of ${name}`]), name);
  return data;
}

const upload = (cookie: string, body: FormData | string) => fetch(`${url}/upload/`, { method: 'POST', headers: { cookie }, body });
const setJob = (cookie: string, steps: unknown) =>
  fetch(`${url}/webui/setjob/`, { method: 'POST', headers: { cookie }, body: typeof steps === 'string' ? steps : JSON.stringify(steps) });
const fetchJob = (cookie: string) => fetch(`${url}/webui/fetchjob/`, { headers: { cookie } });
const STEPS = [{ name: 'donothing', options: {} }];

test('the root leads to the page, whose parts are public and load nothing from elsewhere', async () => {
  const root = await fetch(`${url}/`, { redirect: 'manual' });
  assert.deepEqual([root.status, root.headers.get('location')], [302, '/ui/']);
  const page = await fetch(`${url}/ui/`);
  assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'self'/);
  const text = await page.text();
  for (const [, path = ''] of text.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)) assert.equal((await fetch(url + path)).status, 200, path);
  assert.doesNotMatch(text, /https?:\/\//);
  for (const path of ['/static/nothing.js', '/static/index.html', '/static/..%2fpackage.json'])
    assert.equal((await fetch(url + path)).status, 404, path);
  assert.deepEqual(await (await fetch(`${url}/upload/`)).json(), []);
});

test('each visit is a new session, whose cookie is signed, and takes the files of the one before away', async () => {
  const first = await begin();
  assert.match(first.set, /^sess=[0-9a-f]{32}\.[0-9a-f]{64}; Path=\/; SameSite=Strict; HttpOnly; Secure$/);
  assert.equal((await upload(first.cookie, form('a.txt'))).status, 200);
  const folder = join(place.work, 'web_ui_sessions', first.cookie.slice(5, 37));
  assert.ok(existsSync(folder));
  const second = await begin(first.cookie);
  assert.notEqual(second.cookie, first.cookie);
  assert.ok(!existsSync(folder));
});

test('without a cookie of ours nothing is taken or given', async () => {
  const { cookie } = await begin();
  for (const wrong of ['', 'sess=x', `${cookie.slice(0, -1)}${cookie.endsWith('0') ? '1' : '0'}`]) {
    for (const answer of [
      await upload(wrong, form('a')),
      await setJob(wrong, STEPS),
      await fetchJob(wrong),
      await fetch(`${url}/webui/status/`, { headers: { cookie: wrong } }),
    ])
      assert.deepEqual([answer.status, await answer.text()], [403, 'Bad session']);
  }
});

test('upload, job, result, which may be fetched again; then there is nothing to convert', async () => {
  const { cookie } = await begin();
  assert.equal((await fetchJob(cookie)).status, 404);
  assert.equal(await (await upload(cookie, form('../é a b.txt'))).text(), '../é a b.txt');
  assert.equal((await upload(cookie, form('two.txt'))).status, 200);
  const done = await setJob(cookie, STEPS);
  assert.deepEqual([done.status, await done.text()], [200, 'ok']);
  for (let times = 0; times < 2; times++) {
    const zip = await fetchJob(cookie);
    assert.equal(zip.headers.get('content-type'), 'application/zip');
    assert.equal(zip.headers.get('content-disposition'), `attachment; filename="${cookie.slice(5, 37)}.zip"`);
    const bytes = Buffer.from(await zip.arrayBuffer()).toString('latin1');
    for (const name of ['e_a_b.txt', 'two.txt', 'job.json', 'out.log']) assert.ok(bytes.includes(name), name);
  }
  const again = await setJob(cookie, STEPS);
  assert.deepEqual([again.status, await again.text()], [400, 'Bad Request']);
  assert.deepEqual(readdirSync(join(place.work, 'web_ui_sessions', cookie.slice(5, 37))).sort(), ['result.tar.gz']);
});

test('a job that fails is ok all the same, and its log says why', async () => {
  const { cookie } = await begin();
  await upload(cookie, form('a.txt'));
  assert.equal(await (await setJob(cookie, [{ name: 'breaks' }])).text(), 'ok');
  assert.match(
    await (await fetch(`${url}/webui/log/`, { headers: { cookie } })).text(),
    /"ERROR".*Transformation breaks failed: no paper left/,
  );
  assert.equal((await fetchJob(cookie)).status, 200);
});

describe('what is refused', () => {
  test('no file, another field, no form', async () => {
    const { cookie } = await begin();
    const other = new FormData();
    other.append('other', new Blob(['x']), 'x');
    for (const body of [other, 'file=x', form()]) {
      const answer = await upload(cookie, body);
      assert.deepEqual([answer.status, await answer.text()], [400, 'Missing file']);
    }
  });

  test('names that the service needs, files that are too large or too many; nothing of them stays', async () => {
    const { cookie } = await begin();
    for (const name of ['job.json', '/out.log']) assert.equal((await upload(cookie, form(name))).status, 400, name);
    const large = new FormData();
    large.append('file', new Blob([Buffer.alloc(100_001)]), 'large');
    assert.equal((await upload(cookie, large)).status, 413);
    assert.equal((await upload(cookie, form('1', '2', '3', '4', '5'))).status, 400);
    assert.ok(
      !readdirSync(join(place.work, 'web_ui_sessions', cookie.slice(5, 37), 'files')).some(
        (name) => name.startsWith('.') || name === 'large',
      ),
    );
  });

  test('steps that are no JSON, or no list', async () => {
    const { cookie } = await begin();
    await upload(cookie, form('a.txt'));
    for (const steps of ['[', '{}', '[{"name": 1}]']) assert.equal((await setJob(cookie, steps)).status, 400, steps);
    assert.equal((await setJob(cookie, STEPS)).status, 200);
  });
});

test('names of files are made harmless', () => {
  for (const [name, safe] of [
    ['../é a b.txt', 'e_a_b.txt'],
    ['日本', 'file'],
    ['..', 'file'],
    ['_.x-1._', 'x-1'],
    ['a/b\\c\n d', 'a_bc_d'],
    ['ﬁle ½.txt', 'file_12.txt'],
  ] as const)
    assert.equal(safeFileName(name), safe, name);
});
