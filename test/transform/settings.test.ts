/** Variables of the service from outside, each where what it changes is seen: bounds as they stand and as they are set, sharing, forms. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { jobArchive, jobJson, runCommand, signed, startService, tarOf, until, Workplace, type Service } from './support.ts';

const post = async (url: string, body: Buffer) => {
  const answer = await fetch(`${url}/job/`, { method: 'POST', body: new Uint8Array(body) });
  return { status: answer.status, text: await answer.text() };
};

/** The status for a body of which only the length is told. */
async function statusFor(url: string, length: number): Promise<string> {
  const { port, hostname } = new URL(url);
  const socket = connect(Number(port), hostname).setEncoding('utf8');
  socket.write(`POST /job/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`);
  const [head] = (await once(socket, 'data')) as [string];
  socket.destroy();
  return head.split(' ')[1] ?? '';
}

const members = (count: number) => tarOf([jobJson([]), ...Array.from({ length: count - 1 }, (_, n) => ({ name: `d${n}/`, flag: '5' }))]);
/** A header alone: what it states is enough. */
const stating = (size: number) => gzipSync(tarOf([jobJson([]), { name: 'large', size }], false));

describe('bounds', () => {
  test('as they are without a variable: 100,000,000 bytes, 1 GiB unpacked, 10,000 members', async () => {
    await using service = await startService(new Workplace(), ['serve']);
    assert.equal(await statusFor(service.url, 100_000_000), '100');
    assert.equal(await statusFor(service.url, 100_000_001), '413');
    assert.equal((await post(service.url, members(10_000))).status, 200);
    const many = await post(service.url, members(10_001));
    assert.deepEqual([many.status, many.text.includes('10000')], [400, true], many.text);
    const large = await post(service.url, stating(1_073_741_825));
    assert.deepEqual([large.status, large.text.includes('1073741824')], [400, true], large.text);
  });

  test('as they are set, plain or with a unit', async () => {
    for (const [body, unpacked] of [
      ['2000', '3072'],
      ['2KB', '3k'],
    ] as const) {
      await using service = await startService(new Workplace(), ['serve'], {
        CIRCE_MAX_BODY: body,
        CIRCE_MAX_UNPACKED: unpacked,
        CIRCE_MAX_MEMBERS: '3',
      });
      assert.equal(await statusFor(service.url, 2000), '100');
      assert.equal(await statusFor(service.url, 2001), '413');
      assert.equal((await post(service.url, gzipSync(members(3)))).status, 200);
      assert.match((await post(service.url, gzipSync(members(4)))).text, /3/);
      const large = await post(service.url, stating(3072));
      assert.deepEqual([large.status, large.text.includes('3072')], [400, true], large.text);
    }
  });

  test('a value that is none is refused with one line', async () => {
    for (const [name, value] of [
      ['CIRCE_MAX_BODY', '10X'],
      ['CIRCE_MAX_UNPACKED', '0'],
      ['CIRCE_MAX_MEMBERS', '1k'],
      ['CIRCE_TRANSFORMATIONS_FORMAT', 'list'],
    ] as const) {
      const { code, stderr } = await runCommand(new Workplace(), ['serve', '--port', '0'], { [name]: value });
      assert.equal(code, 2, stderr);
      assert.ok(stderr.includes(name) && stderr.includes(value), stderr);
      assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
    }
  });
});

test('CIRCE_SHARED_JOBS lets every application that signs fetch a job, and nobody else', async () => {
  const place = new Workplace();
  const access = async () => {
    const { stdout } = await runCommand(place, ['make-api-access']);
    const [, uuid = '', secret = ''] = /uuid {4}: (\S+)\nsecret: (.*)\n/.exec(stdout) ?? [];
    return (message: Buffer | string) => ({ authorization: `${uuid} ${signed(secret, message)}` });
  };
  const [one, other] = [await access(), await access()];
  await using service = await startService(place, ['serve'], { CIRCE_USE_AUTH: '1', CIRCE_SHARED_JOBS: '1' });
  const body = jobArchive();
  const id = await (await fetch(`${service.url}/job/`, { method: 'POST', headers: one(body), body: new Uint8Array(body) })).text();
  for (const headers of [one(id), other(id)]) assert.equal((await fetch(`${service.url}/job/${id}`, { headers })).status, 202);
  assert.equal((await fetch(`${service.url}/job/${id}`, { headers: other('x') })).status, 403);
});

test('CIRCE_TRANSFORMATIONS_FORMAT=object answers with descriptions by name', async () => {
  await using service = await startService(new Workplace(), ['serve'], { CIRCE_TRANSFORMATIONS_FORMAT: 'object' });
  const all = (await (await fetch(`${service.url}/transformations/`)).json()) as Record<string, { label: string }>;
  assert.deepEqual(Object.keys(all), ['donothing']);
  assert.equal(typeof all.donothing?.label, 'string');
});

test('files of the web page go when their time is over', async () => {
  const place = new Workplace();
  const variables = { CIRCE_ENABLE_WEB_UI: '1', CIRCE_WEB_UI_CRYPT_KEY: 'key', CIRCE_WEB_UI_REMOVE_USER_FILES_DELAY: '300ms' };
  await using service: Service = await startService(place, ['run'], variables);
  const cookie = (await fetch(`${service.url}/ui/`)).headers.get('set-cookie')?.split(';', 1)[0] ?? '';
  const body = new FormData();
  body.append('file', new Blob(['text']), 'a.txt');
  assert.equal((await fetch(`${service.url}/upload/`, { method: 'POST', headers: { cookie }, body })).status, 200);
  const folder = join(place.work, 'web_ui_sessions', cookie.slice(5, 37));
  await until(() => !existsSync(folder));
  const steps = JSON.stringify([{ name: 'donothing', options: {} }]);
  assert.equal((await fetch(`${service.url}/webui/setjob/`, { method: 'POST', headers: { cookie }, body: steps })).status, 400);
  assert.equal((await fetch(`${service.url}/webui/fetchjob/`, { headers: { cookie } })).status, 404);
});
