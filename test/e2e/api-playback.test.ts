/**
 * The playback proxy next to the running one: what was archived comes back, from files that are still open and from closed ones.
 *
 * Source: spec/warcprox.md §10.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { answered, startApi, WAYS, type Answered, type Api, type ApiOptions, type Ask, type Way } from '../support/api.ts';
import { RawClient } from '../support/client.ts';
import { ok } from '../support/messages.ts';
import { withoutMemento } from '../playback/support.ts';

const start = (way: Way, options: ApiOptions = {}) => startApi(way, { playbackPort: 0, ...options });

const playbackPort = (api: Api) => Number(new URL(api.proxy.proxy.playbackUrl ?? '').port);

/** The same request to the playback proxy. */
async function play(api: Api, path: string, ask: Ask = {}): Promise<Answered> {
  using client = await api.connect(ask.host, playbackPort(api));
  client.send(api.request(path, ask));
  const answer = await answered(client, ask.method);
  return { ...answer, head: withoutMemento(answer.head), text: withoutMemento(answer.text) };
}

const MISSING = 'HTTP/1.1 404 Not Found\r\nContent-Type: text/plain;charset=utf-8\r\nContent-Length: 19\r\n';

for (const way of WAYS) {
  for (const gzip of [false, true]) {
    test(`what was archived is played as it came, out of open files${gzip ? ' with --gzip' : ''}, ${way}`, async () => {
      const coded = gzipSync('coded');
      const answers: Record<string, string | Buffer> = {
        '/a?b=%20&c': ok('hello', 'Content-Type: text/plain\r\nX-Odd:  spaced  \r\nx-odd: again\r\n'),
        '/chunked': 'HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n5;ext=1\r\nhallo\r\n0\r\nT: x\r\n\r\n',
        '/coded': Buffer.concat([
          Buffer.from(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${coded.length}\r\n\r\n`),
          coded,
        ]),
        '/gone': 'HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n',
        '/204': 'HTTP/1.1 204 No Content\r\n\r\n',
      };
      await using api = await start(way, { gzip, answer: ({ path, socket }) => socket.write(answers[path] ?? '') });
      for (const path of Object.keys(answers)) await api.ask(path);
      await api.proxy.captured(Object.keys(answers).length);
      for (const [path, wire] of Object.entries(answers)) {
        using client = await api.connect('127.0.0.1', playbackPort(api));
        client.send(api.request(path));
        const { head, body } = await client.response();
        assert.ok(Buffer.concat([Buffer.from(withoutMemento(head)), body]).equals(Buffer.from(wire)), `${path}: ${head}`);
      }
      assert.equal(api.origin.requests.length, Object.keys(answers).length);
    });
  }

  test(`the latest capture of exactly that URL is played, ${way}`, async () => {
    let nth = 0;
    await using api = await start(way, { answer: ({ socket }) => socket.write(ok(`answer ${nth++}`)) });
    for (const path of ['/x', '/x?', '/X', '/x']) {
      await api.ask(path);
      await api.proxy.captured(nth);
    }
    assert.equal((await play(api, '/x')).body, 'answer 3');
    assert.equal((await play(api, '/x?')).body, 'answer 1');
    assert.equal((await play(api, '/X')).body, 'answer 2');
    assert.equal((await play(api, '/x/')).status, 404);
    assert.equal((await play(api, '/x#y')).body, 'answer 3');
  });

  test(`a URL is found in whatever form clients send it, ${way}`, async () => {
    await using api = await start(way, { answer: ({ path, socket }) => socket.write(ok(path)) });
    const withUser = (path: string) => api.url(path).replace('//', '//user:secret@');
    for (const path of ['/?q', '/?"a"<b>']) await api.ask(path);
    for (const uri of ['screenshot:https://a.example/?"a b"', 'screenshot:https://u:p@a.example/', 'http://a.example?r']) {
      assert.equal((await api.write(uri, uri, { more: 'WARC-Type: resource\r\nContent-Type: a/b\r\n' })).status, 204);
    }
    for (const [form, body] of [
      [api.url('/?q'), '/?q'],
      [api.url('?q'), '/?q'],
      [withUser('?q#f'), '/?q'],
      ['/?%22a%22%3Cb%3E', '/?"a"<b>'],
      ['/?"a"<b>', '/?"a"<b>'],
    ] as const) {
      assert.equal((await play(api, form)).body, body, form);
    }
    for (const [form, body] of [
      ['screenshot:https://a.example/?%22a%20b%22', 'screenshot:https://a.example/?"a b"'],
      ['screenshot:https://u:p@a.example/', 'screenshot:https://u:p@a.example/'],
      ['screenshot:https://a.example/', 'screenshot:https://u:p@a.example/'],
      ['http://a.example?r', 'http://a.example?r'],
      ['http://a.example/?r', 'http://a.example?r'],
    ] as const) {
      using client = await RawClient.connect(playbackPort(api));
      client.send(`GET ${form} HTTP/1.1\r\nHost: x\r\n\r\n`);
      assert.equal((await client.response()).body.toString(), body, form);
    }
  });

  test(`a revisit is played with its own head and the payload of its original, ${way}`, async () => {
    const answers: Record<string, string> = {
      '/original': ok('the payload', 'X-Which: original\r\n'),
      '/revisit': ok('the payload', 'X-Which: revisit\r\n'),
      '/chunked': 'HTTP/1.1 404 Not Here\r\nX-Which: chunked\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nthe\r\n8\r\n payload\r\n0\r\n\r\n',
    };
    await using api = await start(way, { answer: ({ path, socket }) => socket.write(answers[path] ?? '') });
    let asked = 0;
    for (const path of ['/original', '/revisit', '/chunked', '/original']) {
      await api.ask(path, { meta: { 'warc-prefix': `P${asked}` } });
      await api.proxy.captured(++asked);
    }
    const types = api.proxy.captures.map(({ outcome }) => outcome.records?.[0]?.type);
    assert.deepEqual(types, ['response', 'revisit', 'revisit', 'revisit']);
    const check = async () => {
      assert.equal((await play(api, '/revisit')).text, answers['/revisit']);
      assert.equal((await play(api, '/original')).text, answers['/original']);
      const { head, body } = await play(api, '/chunked');
      assert.equal(head, 'HTTP/1.1 404 Not Here\r\nX-Which: chunked\r\nTransfer-Encoding: chunked\r\n\r\n');
      assert.equal(body.replace(/[0-9a-f]+\r\n([^\r]*)\r\n/g, '$1'), 'the payload');
      assert.match((await play(api, '/revisit', { method: 'HEAD' })).text, /X-Which: revisit\r\nContent-Length: 11\r\n\r\n$/);
    };
    await check();
    await api.restart();
    await check();
  });

  test(`other records are played with their content type, ${way}`, async () => {
    await using api = await start(way);
    const more = 'WARC-Type: metadata\r\nContent-Type: application/x-test; a=b\r\n';
    assert.equal((await api.write(api.url('/record'), 'bytes of it', { more })).status, 204);
    const { text } = await play(api, '/record');
    assert.equal(text, 'HTTP/1.1 200 OK\r\nContent-Type: application/x-test; a=b\r\nContent-Length: 11\r\n\r\nbytes of it');
  });

  test(`what is not archived: 404, and nobody is asked for it, ${way}`, async () => {
    await using api = await start(way, { answer: ({ path, socket }) => (path === '/bad' ? socket.end() : socket.write(ok())) });
    await api.ask('/dropped', { meta: { 'warc-prefix': '-' } });
    await api.ask('/blocked', { meta: { blocks: [{ substring: '/' }] } });
    await api.ask('/bad');
    await api.proxy.captured(2);
    const asked = api.origin.requests.length;
    for (const path of ['/dropped', '/blocked', '/bad', '/never']) {
      assert.equal((await play(api, path)).text, `${MISSING}\r\n404 Not in Archive\n`);
      assert.equal((await play(api, path, { method: 'HEAD' })).text, `${MISSING}\r\n`);
    }
    assert.equal(api.origin.requests.length, asked);
    assert.equal(api.proxy.captures.length, 2);
  });

  test(`requests on one connection are answered in order, ${way}`, async () => {
    await using api = await start(way);
    const paths = ['/a', '/b', '/c'];
    for (const path of paths) await api.ask(path);
    await api.proxy.captured(3);
    using client = await api.connect('127.0.0.1', playbackPort(api));
    client.send(Buffer.concat([...paths, '/none', '/a'].map((path) => api.request(path))));
    const bodies: string[] = [];
    for (let i = 0; i < 5; i++) bodies.push((await answered(client)).body);
    assert.deepEqual(bodies, ['/a', '/b', '/c', '404 Not in Archive\n', '/a']);
  });

  test(`captures are found again after a restart and in rolled-over files, ${way}`, async () => {
    await using api = await start(way, { size: 1000 });
    const paths = Array.from({ length: 10 }, (_, i) => `/${i}`);
    for (const path of paths) await api.ask(path, { more: `X-Long: ${'x'.repeat(500)}\r\n` });
    await api.proxy.captured(10);
    assert.ok(new Set(api.proxy.captures.map(({ outcome }) => outcome.records?.[0]?.filename)).size > 3);
    for (const path of paths) assert.equal((await play(api, path)).body, path);
    await api.restart();
    for (const path of paths) assert.equal((await play(api, path)).body, path);
  });

  test(`captures in --subdir-prefix folders are found, revisits across them, ${way}`, async () => {
    await using api = await start(way, { subdirPrefix: true, answer: ({ socket }) => socket.write(ok('same')) });
    for (const [nth, prefix] of ['A', 'B'].entries()) {
      await api.ask(`/${prefix}`, { meta: { 'warc-prefix': prefix } });
      await api.proxy.captured(nth + 1);
    }
    assert.equal((await play(api, '/A')).body, 'same');
    assert.equal((await play(api, '/B')).body, 'same');
  });
}

test('a large body is played whole', async () => {
  const large = 'abcdefghij'.repeat(1_000_000);
  await using api = await start('over HTTP', { answer: ({ socket }) => socket.write(ok(large)), gzip: true });
  await api.ask('/large');
  await api.proxy.captured(1);
  assert.ok((await play(api, '/large')).body === large);
});

test('the playback proxy has no pages of its own, and writes no records', async () => {
  await using api = await start('over HTTP');
  const statusOf = async (request: string) => {
    using client = await RawClient.connect(playbackPort(api));
    client.send(request);
    return (await client.response()).status;
  };
  assert.equal(await statusOf('GET /status HTTP/1.1\r\nHost: x\r\n\r\n'), 400);
  assert.equal(await statusOf('PUTMETA x:y HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: 1\r\n\r\nz'), 404);
  assert.deepEqual(await api.proxy.records(), []);
});

test('a record is played under the URI that it was sent with', async () => {
  await using api = await start('over HTTP');
  for (const uri of ['screenshot:http://example.com/?a=b', 'x:{a|b}', Buffer.from('x:é').toString('latin1')]) {
    using writer = await RawClient.connect(api.proxy.port);
    writer.send(`PUTMETA ${uri} HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: ${uri.length}\r\n\r\n${uri}`);
    assert.equal((await writer.response()).status, 204);
    using client = await RawClient.connect(playbackPort(api));
    client.send(`GET ${uri} HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.equal((await client.response()).body.toString('latin1'), uri);
  }
});

test('the proxy does not fetch from its own playback proxy', async () => {
  await using api = await start('over HTTP');
  using client = await RawClient.connect(api.proxy.port);
  client.send(`GET http://127.0.0.1:${playbackPort(api)}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
  const { status, body } = await client.response();
  assert.equal(status, 400);
  assert.equal(
    body.toString(),
    'request rejected by warcprox: localhost access is not permitted (this is where the proxy itself listens)\n',
  );
});

for (const way of WAYS) {
  test(`answers are played to the requests that they were given to: by method, body and range, also as revisits, ${way}`, async () => {
    let nth = 0;
    await using api = await start(way, {
      answer({ bytes, method, path, socket }) {
        const [head = '', body = ''] = bytes.toString('latin1').split('\r\n\r\n');
        const piece = 'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-3/6\r\nContent-Length: 2\r\n\r\ncd';
        if (/^range: bytes=2-3/im.test(head)) socket.write(piece);
        else socket.write(ok(path === '/same' ? 'same' : `${nth++} ${method} ${body}`));
      },
    });
    const post = (body: string): Ask => ({ method: 'POST', body, more: 'Content-Type: application/x-www-form-urlencoded\r\n' });
    const asks: [string, Ask][] = [
      ['/api', {}],
      ['/api', post('q=one')],
      ['/api', post('q=two')],
      ['/same', post('q=one')],
      ['/same', post('q=two')],
      ['/file', { more: 'Range: bytes=2-3\r\n' }],
    ];
    for (const [index, [path, ask]] of asks.entries()) {
      await api.ask(path, ask);
      await api.proxy.captured(index + 1);
    }
    const check = async () => {
      assert.equal((await play(api, '/api')).body, '0 GET ');
      assert.equal((await play(api, '/api', post('q=two'))).body, '2 POST q=two');
      assert.equal((await play(api, '/api', post('q=one'))).body, '1 POST q=one');
      assert.equal((await play(api, '/api', post('q=three'))).status, 404);
      assert.equal((await play(api, '/same', post('q=two'))).body, 'same');
      assert.equal((await play(api, '/same')).status, 404);
      assert.equal((await play(api, '/file')).status, 404);
      assert.equal((await play(api, '/file', { more: 'Range: bytes=2-3\r\n' })).body, 'cd');
      assert.equal((await play(api, '/file', { more: 'Range: bytes=0-3\r\n' })).status, 404);
      assert.equal((await play(api, '/api', { more: 'Range: bytes=2-4\r\n' })).body, 'GET');
    };
    await check();
    await api.restart();
    await check();
  });
}
