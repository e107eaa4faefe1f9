/** Answers are those to the same method and the same body. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchange, spoolOf } from '../warc/support.ts';
import { RawClient } from '../support/client.ts';
import { later, posted, startPlayback } from './support.ts';

const URL_A = 'http://a.example/api';
const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';

test('GET, POST and PUT of one URL have each their own answer, and other bodies none', async (t) => {
  const running = await startPlayback(t);
  await running.archive(
    later(1, { url: URL_A, body: 'got' }),
    later(2, posted(URL_A, 'q=1', { type: FORM, body: 'posted 1' })),
    later(3, posted(URL_A, 'q=2', { type: FORM, body: 'posted 2' })),
    later(4, posted(URL_A, 'q=1', { type: FORM, method: 'PUT', body: 'put 1' })),
    later(5, { ...posted(URL_A, '', { body: 'posted nothing' }) }),
    later(6, { url: URL_A, method: 'DELETE', body: 'deleted' }),
  );
  const ask = async (method: string, body?: string) => {
    const answer = await running.get(URL_A, { method, fields: `Content-Type: ${FORM}\r\n`, ...(body === undefined ? {} : { body }) });
    return answer.body.toString();
  };
  assert.equal(await ask('GET'), 'got');
  assert.equal(await ask('POST', 'q=1'), 'posted 1');
  assert.equal(await ask('POST', 'q=2'), 'posted 2');
  assert.equal(await ask('PUT', 'q=1'), 'put 1');
  assert.equal(await ask('POST', ''), 'posted nothing');
  assert.equal(await ask('POST'), 'posted nothing');
  assert.equal(await ask('DELETE'), 'deleted');
  for (const [method, body] of [
    ['POST', 'q=3'],
    ['PUT', 'q=2'],
    ['PUT', ''],
    ['DELETE', 'q=1'],
    ['OPTIONS', ''],
  ] as const) {
    assert.equal(await ask(method, body), '404 Not in Archive\n', `${method} ${body}`);
  }
});

test('a POST alone is no answer to a GET', async (t) => {
  const running = await startPlayback(t);
  await running.archive(exchange({ url: URL_A, method: 'POST', body: 'posted' }));
  assert.equal((await running.get(URL_A)).status, 404);
  assert.equal((await running.get(URL_A, { method: 'HEAD' })).status, 404);
});

const part = (boundary: string) =>
  `--${boundary}\r\nContent-Disposition: form-data; name="q"\r\n\r\none\r\n` +
  `--${boundary}\r\nContent-Disposition: form-data; name="f"; filename="a"\r\nContent-Type: a/b\r\n\r\nbytes\r\n--${boundary}--\r\n`;

for (const [what, [type, body], [type2, body2], [type3, body3]] of [
  ['a form', [FORM, 'a=1&b=x+y'], [`${FORM}; charset=utf-8`, 'b=x%20y&a=1'], [FORM, 'a=1&b=xy']],
  ['JSON', [JSON_TYPE, '{"a":1,"b":[true,null]}'], [JSON_TYPE, '{ "b": [true, null], "a": 1 }'], [JSON_TYPE, '{"a":1,"b":[true,0]}']],
  ['multipart', ['multipart/form-data; boundary=X', part('X')], ['multipart/form-data; boundary="Y"', part('Y')], [FORM, part('X')]],
  ['bytes', ['a/b', '\xff\0\xfe'], ['a/b', '\xff\0\xfe'], ['a/b', '\xff\0\xfd']],
] as const) {
  test(`a body of ${what} is the same when it says the same`, async (t) => {
    const running = await startPlayback(t);
    await running.archive(exchange(posted(URL_A, body, { type, body: 'answer' })));
    const ask = (as: string, text: string) => running.get(URL_A, { method: 'POST', fields: `Content-Type: ${as}\r\n`, body: text });
    assert.equal((await ask(type, body)).status, 200);
    assert.equal((await ask(type2, body2)).status, 200);
    assert.equal((await ask(type3, body3)).status, 404);
  });
}

test('chunks of a request say the same as a length', async (t) => {
  const running = await startPlayback(t);
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
  await running.archive(exchange({ url: URL_A, method: 'POST', request: `${head}2\r\nq=\r\n1\r\n1\r\n0\r\n\r\n`, body: 'answer' }));
  assert.equal((await running.get(URL_A, { method: 'POST', body: 'q=1' })).body.toString(), 'answer');
  using client = await RawClient.connect(running.port);
  client.send(`POST ${URL_A} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nq\r\n2\r\n=1\r\n0\r\n\r\n`);
  assert.equal((await client.response()).body.toString(), 'answer');
});

test('large bodies are told apart by every byte, also where the request was spilled to the disk', async (t) => {
  const running = await startPlayback(t);
  const large = 'x'.repeat(3_000_000);
  const capture = exchange(posted(URL_A, large, { type: FORM, body: 'large' }));
  const spilled = {
    ...capture,
    request: { ...capture.request, bytes: spoolOf(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${large.length}\r\n\r\n${large}`, 1000) },
  };
  await spilled.request.bytes.flushed();
  await running.archive(spilled);
  const ask = (body: string) => running.get(URL_A, { method: 'POST', fields: `Content-Type: ${FORM}\r\n`, body });
  assert.equal((await ask(large)).body.toString(), 'large');
  assert.equal((await ask(`${large.slice(1)}y`)).status, 404);
});

test('a request that ends within its body is found by nobody, and costs no other its place', async (t) => {
  const running = await startPlayback(t);
  await running.archive(
    exchange({ url: URL_A, method: 'POST', request: 'POST / HT', body: 'broken' }),
    exchange({ url: 'http://a.example/other', body: 'other' }),
  );
  assert.equal((await running.get(URL_A, { method: 'POST', body: '' })).status, 404);
  assert.equal((await running.get('http://a.example/other')).body.toString(), 'other');
});
