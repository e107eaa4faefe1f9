/** The HTTP side from outside: paths, answers, signatures, refusals. One service for all, with workers beside it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { jobArchive, jobJson, logOf, membersOf, runCommand, signed, startService, tarOf, Workplace, type Service } from './support.ts';

const place = new Workplace();
let service: Service;
let url = '';
let uuid = '';
let secret = '';

before(async () => {
  const made = await runCommand(place, ['make-api-access', '-t', 'tests']);
  [, uuid = '', secret = ''] = /^Access granted to tests\nuuid {4}: (\S+)\nsecret: (.*)\n$/.exec(made.stdout) ?? [];
  service = await startService(place, ['run'], { CIRCE_USE_AUTH: '1', CIRCE_MAX_BODY: '1000000' });
  url = service.url;
});
after(async () => {
  await service[Symbol.asyncDispose]();
});

const get = (path: string, headers: Record<string, string> = {}) => fetch(url + path, { headers, redirect: 'manual' });
const authorize = (message: string | Buffer, by = secret) => ({ authorization: `${uuid} ${signed(by, message)}` });

async function post(body: Buffer, path = '/job/', headers: Record<string, string> = authorize(body)): Promise<Response> {
  return fetch(url + path, { method: 'POST', body: new Uint8Array(body), headers });
}

describe('pages without a signature', () => {
  test('the root names the service, and the version is text', async () => {
    const root = await get('/');
    assert.equal(root.status, 200);
    assert.match(root.headers.get('content-type') ?? '', /^text\/html/);
    assert.match(await root.text(), /document transformation service/);
    const version = await get('/version/');
    assert.match(version.headers.get('content-type') ?? '', /^text\/plain/);
    assert.match(await version.text(), /^\d+\.\d+\.\d+$/);
  });

  test('transformations are a sorted array, or descriptions on request', async () => {
    const names = await get('/transformations/');
    assert.equal(names.headers.get('content-type'), 'application/json');
    assert.deepEqual(await names.json(), ['donothing']);
    const described = (await (await get('/transformations/?descriptions=1')).json()) as Record<string, { options: unknown }>;
    assert.deepEqual(described.donothing?.options, []);
  });

  test('paths are exact, other methods are told which there are, HEAD has no body', async () => {
    for (const path of [
      '/version',
      '/transformations',
      '/job',
      '/nothing/',
      '/ui/',
      '/upload/',
      '/static/page.js',
      '/webui/fetchjob/',
      '//version/',
    ])
      assert.equal((await get(path)).status, 404, path);
    const put = await fetch(`${url}/job/`, { method: 'PUT', body: 'x' });
    assert.deepEqual([put.status, put.headers.get('allow')], [405, 'POST']);
    const wrong = await fetch(`${url}/version/`, { method: 'DELETE' });
    assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'GET, HEAD']);
    const head = await fetch(`${url}/version/`, { method: 'HEAD' });
    assert.deepEqual([head.status, await head.text()], [200, '']);
    assert.ok(Number(head.headers.get('content-length')) > 0);
  });

  test('CONNECT and TRACE are answered, and a connection is kept', async () => {
    const { port, hostname } = new URL(url);
    const socket = connect(Number(port), hostname).setEncoding('utf8');
    socket.write('GET /version/ HTTP/1.1\r\nHost: x\r\n\r\nGET /version/ HTTP/1.1\r\nHost: x\r\n\r\nTRACE / HTTP/1.1\r\nHost: x\r\n\r\n');
    let text = '';
    socket.on('data', (piece: string) => (text += piece));
    await once(socket, 'close');
    assert.deepEqual(
      [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
      ['200', '200', '405'],
    );
  });

  test('errors are JSON for those who ask for that', async () => {
    const answer = await get('/nothing/', { accept: 'application/json' });
    assert.deepEqual(await answer.json(), { description: 'Not Found', status: 404, message: 'Not Found' });
  });
});

describe('a job', () => {
  test('is answered with a dashed UUID of version 4, and fetched in either form', async () => {
    const answer = await post(jobArchive());
    const id = await answer.text();
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/);
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    for (const form of [id, id.replaceAll('-', ''), id.toUpperCase()]) {
      let result = await get(`/job/${form}`, authorize(form));
      for (; result.status === 202; result = await get(`/job/${form}`, authorize(form))) {
        assert.equal(result.headers.get('retry-after'), '1');
        assert.equal(await result.text(), 'Accepted');
      }
      assert.equal(result.status, 200, form);
      assert.equal(result.headers.get('content-type'), 'application/x-tar');
      assert.equal(result.headers.get('content-encoding'), null);
      assert.equal(result.headers.get('x-circe-job-status'), 'done');
      const members = await membersOf(Buffer.from(await result.arrayBuffer()));
      assert.deepEqual([...members.keys()], ['a.txt', 'job.json', 'out.log']);
      assert.equal(members.get('job.json')?.content, jobJson().content);
    }
    const status = (await (await get(`/job/${id}?status=1`, authorize(id))).json()) as Record<string, unknown>;
    assert.deepEqual(
      [status.id, status.state, status.position, status.transformation, status.log_lines],
      [id, 'done', null, 'donothing', 1],
    );
    const zip = await get(`/job/${id}?zip=1`, authorize(id));
    assert.equal(zip.headers.get('content-type'), 'application/zip');
    assert.equal(Buffer.from(await zip.arrayBuffer()).toString('latin1', 0, 2), 'PK');
  });

  test('with block, whatever that says, is answered with the result; without a value it is not', async () => {
    for (const query of ['?block=1', '?block=0']) {
      const answer = await post(jobArchive(), `/job/${query}`);
      assert.equal(answer.headers.get('content-type'), 'application/x-tar');
      assert.match(answer.headers.get('x-circe-job') ?? '', /^[0-9a-f-]{36}$/);
      const log = await logOf(Buffer.from(await answer.arrayBuffer()));
      assert.deepEqual(
        log.map(({ level, message }) => [level, message]),
        [['INFO', 'Executing transformation donothing']],
      );
    }
    assert.match(await (await post(jobArchive(), '/job/?block=')).text(), /^[0-9a-f-]{36}$/);
  });

  test('comes in chunks as well, and plain instead of compressed', async () => {
    const body = tarOf([jobJson([]), { name: './sub/b.txt', content: 'b' }]);
    const pieces = [body.subarray(0, 700), body.subarray(700)];
    const stream = new ReadableStream({
      pull(controller) {
        const piece = pieces.shift();
        if (piece === undefined) controller.close();
        else controller.enqueue(new Uint8Array(piece));
      },
    });
    const answer = await fetch(`${url}/job/?block=1`, { method: 'POST', body: stream, duplex: 'half', headers: authorize(body) });
    const members = await membersOf(Buffer.from(await answer.arrayBuffer()));
    assert.deepEqual(
      [...members].map(([name, { type }]) => `${type} ${name}`),
      ['file job.json', 'file out.log', 'directory sub/', 'file sub/b.txt'],
    );
    assert.equal(members.get('out.log')?.content, '');
  });

  test('that is too large is refused, by its length at once, in chunks when it is', async () => {
    const large = Buffer.alloc(1_000_001);
    assert.equal((await post(large)).status, 413);
    const { port, hostname } = new URL(url);
    const socket = connect(Number(port), hostname).setEncoding('utf8');
    socket.write(`POST /job/ HTTP/1.1\r\nHost: x\r\nAuthorization: ${uuid} x\r\nContent-Length: 1000001\r\n\r\n`);
    const [first] = (await once(socket, 'data')) as [string];
    assert.match(first, /^HTTP\/1\.1 413 /);
    socket.destroy();
    const chunked = await fetch(`${url}/job/`, {
      method: 'POST',
      body: new Blob([new Uint8Array(large)]).stream(),
      duplex: 'half',
      headers: authorize(large),
    });
    assert.equal(chunked.status, 413);
  });

  const bad: readonly (readonly [string, Buffer, RegExp])[] = [
    ['an empty body', Buffer.alloc(0), /empty/],
    ['no tar', Buffer.from('hello'), /expected a tar archive/],
    ['no tar in gzip', gzipSync('x'.repeat(2000)), /expected a tar archive/],
    ['a cut archive', jobArchive(undefined, { 'a.txt': 'x'.repeat(5000) }).subarray(0, -20), /cut/],
    ['no job.json', gzipSync(tarOf([{ name: 'a.txt' }])), /no job\.json/],
    ['job.json in a folder', gzipSync(tarOf([{ ...jobJson(), name: 'sub/job.json' }])), /no job\.json/],
    [
      'job.json that is no JSON',
      gzipSync(tarOf([{ name: 'job.json', content: '{"transformations": [{"name": "donothing",}]}' }])),
      /expected JSON/,
    ],
    ['a byte order mark', gzipSync(tarOf([{ name: 'job.json', content: '\uFEFF{"transformations": []}' }])), /byte order mark/],
    [
      'job.json in Latin-1',
      gzipSync(tarOf([{ name: 'job.json', content: Buffer.from('{"transformations": [], "x": "\xe9"}', 'latin1') }])),
      /UTF-8/,
    ],
    ['an array', gzipSync(tarOf([{ name: 'job.json', content: '[]' }])), /expected an object/],
    ['no transformations', gzipSync(tarOf([{ name: 'job.json', content: '{}' }])), /transformations: expected an array/],
    ['one without a name', gzipSync(tarOf([{ name: 'job.json', content: '{"transformations": [{}]}' }])), /transformations\[0\]\.name/],
    [
      'options that are none',
      gzipSync(tarOf([{ name: 'job.json', content: '{"transformations": [{"name": "a", "options": 1}]}' }])),
      /options/,
    ],
    ['a name outside', gzipSync(tarOf([jobJson(), { name: '../x' }])), /leaves its folder/],
  ];
  for (const [what, body, why] of bad) {
    test(`with ${what} is refused with one line`, async () => {
      const answer = await post(body);
      const text = await answer.text();
      assert.equal(answer.status, 400, text);
      assert.match(text, why);
      assert.doesNotMatch(text, /\n/);
    });
  }

  test('nothing of what was refused is left in the queue', () => {
    assert.deepEqual(place.names('queue'), []);
  });
});

describe('signatures', () => {
  const body = jobArchive();
  const refused = async (headers: Record<string, string>, text: RegExp) => {
    const answer = await post(body, '/job/', headers);
    assert.equal(answer.status, 403);
    assert.match(await answer.text(), text);
  };

  test('each failure is 403, with the words of the reference', async () => {
    await refused({}, /^Missing Authorization header$/);
    await refused({ authorization: uuid }, /^Authorization malformed$/);
    await refused({ authorization: `${uuid}  ${signed(secret, body)}` }, /^Authorization malformed$/);
    await refused({ authorization: `00000000-0000-4000-8000-000000000000 ${signed(secret, body)}` }, /^Access denied$/);
    await refused({ authorization: `${uuid} ${signed('other', body)}` }, /^Access Denied$/);
    await refused({ authorization: `${uuid} x` }, /^Access Denied$/);
    assert.deepEqual(
      place.names('queue').filter((name) => name.startsWith('.upload')),
      [],
    );
  });

  test('the UUID counts without dashes and in any case, the signature in capitals', async () => {
    for (const form of [uuid.replaceAll('-', ''), uuid.toUpperCase()])
      assert.equal((await post(body, '/job/', { authorization: `${form} ${signed(secret, body).toUpperCase()}` })).status, 200);
  });

  test('is of the id as it stands in the path, and is looked at before the job is', async () => {
    const id = await (await post(body)).text();
    assert.equal((await get(`/job/${id}`, authorize(id.replaceAll('-', '')))).status, 403);
    const nobody = '11111111-1111-4111-8111-111111111111';
    assert.equal((await get(`/job/${nobody}`, authorize(nobody, 'wrong'))).status, 403);
    const unknown = await get(`/job/${nobody}`, authorize(nobody));
    assert.deepEqual([unknown.status, await unknown.text()], [404, 'Not Found']);
    assert.equal((await get('/job/x', authorize('x'))).status, 404);
    assert.equal((await get(`/job/${id}/`, authorize(id))).status, 404);
  });

  test('vectors of the specification', () => {
    const one = "&#H-9csMX|0):'-eUP6'u,I6=5X}U|z/";
    assert.equal(signed(one, '55d87fe03924423a893d23aa45614ad9'), 'e893fac8c9e97229f9668919ba861b81df39c6d855ead500161343c8aa5accb0');
    assert.equal(signed('notsosecret', 'hello circe'), '106d044b43925a7009019bb4a5fa643538ddd4a8b2f78457ab9ce78e4f62690e');
  });

  test('another application does not see the job; an access that is made or removed counts at once', async () => {
    const id = await (await post(body)).text();
    const made = await runCommand(place, ['make-api-access', '--title', 'other']);
    const [, other = '', key = ''] = /uuid {4}: (\S+)\nsecret: (.*)\n/.exec(made.stdout) ?? [];
    const asOther = { authorization: `${other} ${signed(key, id)}` };
    assert.equal((await get(`/job/${id}`, asOther)).status, 404);
    await runCommand(place, ['remove-api-access', other]);
    assert.equal((await get(`/job/${id}`, asOther)).status, 403);
  });
});

test('with nothing set it works in the home of its user', async () => {
  const home = new Workplace();
  const nothing = { CIRCE_WORKING_DIR: undefined, CIRCE_WORKERS: undefined, CIRCE_USE_AUTH: undefined };
  await using alone = await startService(home, ['run'], { ...nothing, HOME: home.dir });
  assert.equal((await fetch(alone.url)).status, 200);
  assert.ok(existsSync(join(home.dir, '.circe')));
});
