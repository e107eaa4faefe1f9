/** Bodies of own pages as streams, both ways: no more is held than is read, and nothing goes on for a client that has left. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { textResponse } from '../../src/web/pages.ts';
import { refusal } from '../support/messages.ts';
import { pageClient } from './support.ts';

const MIB = 1024 * 1024;
const GET = 'GET /page HTTP/1.1\r\nHost: a\r\n\r\n';
const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const encode = (text: string) => new TextEncoder().encode(text);
const post = (framing: string) => `POST /page HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`;

/** Something that a page does, and a test waits for. */
function moment<T = void>(): { readonly happens: (value: T) => void; readonly happened: Promise<T> } {
  let happens: (value: T) => void = () => {};
  const happened = new Promise<T>((resolve) => (happens = resolve));
  return { happens, happened };
}

function readerOf(request: Request): ReadableStreamDefaultReader<Uint8Array> {
  assert.notEqual(request.body, null);
  return (request.body as ReadableStream<Uint8Array>).getReader();
}

describe('the body of a request', () => {
  for (const [what, bytes] of [
    ['a length', `${post('Content-Length: 5')}hello`],
    ['chunks', `${post('Transfer-Encoding: chunked')}3;x\r\nhel\r\n2\r\nlo\r\n0\r\nSum: 1\r\n\r\n`],
  ] as const) {
    test(`with ${what} is read without its framing, and the connection stays`, async () => {
      await using it = await pageClient(async (request) => textResponse('text/plain', await request.text()));
      for (let i = 0; i < 2; i++) {
        for (const piece of [bytes.slice(0, -3), bytes.slice(-3)]) {
          it.client.send(piece);
          await after(5);
        }
        const { body } = await it.client.response();
        assert.equal(body.toString(), 'hello');
      }
    });
  }

  test('that is read slowly holds its client back: no more of 50 MB is in memory than a few pieces', async () => {
    const size = 50 * MIB;
    const asked = moment<ReadableStreamDefaultReader<Uint8Array>>();
    const done = moment<number>();
    await using it = await pageClient(async (request) => {
      asked.happens(readerOf(request));
      return textResponse('text/plain', String(await done.happened));
    });
    it.client.send(post(`Content-Length: ${size}`));
    const { client } = it;
    const piece = Buffer.alloc(MIB);
    const sending = (async () => {
      for (let i = 0; i < 50; i++) if (!client.socket.write(piece)) await once(client.socket, 'drain');
    })();
    const reader = await asked.happened;
    let read = 0;
    let ahead = 0;
    for (let pieces = 0; ; pieces++) {
      const { value } = await reader.read();
      if (value === undefined) break;
      read += value.length;
      if (pieces >= 20) continue;
      await after(5);
      ahead = Math.max(ahead, client.socket.bytesWritten - client.socket.writableLength - read);
    }
    done.happens(read);
    assert.equal((await client.response()).body.toString(), String(size));
    await sending;
    // What the system holds between the two ends of a connection; all of it would be 50 MiB.
    assert.ok(ahead < 16 * MIB, `${ahead} bytes were taken before they were read`);
  });

  test('that nobody reads is not taken, and a client that waits to be asked is not asked', async () => {
    const answer = moment();
    await using it = await pageClient(async () => {
      await answer.happened;
      return textResponse('text/plain', 'no need');
    });
    it.client.send(post('Expect: 100-continue\r\nContent-Length: 5'));
    await after(30);
    answer.happens();
    assert.match(await it.client.head(), /^HTTP\/1.1 200 OK\r\n/);
    assert.equal((await it.client.rest()).toString(), 'no need');
  });

  test('is asked for when the page reads it', async () => {
    await using it = await pageClient(async (request) => textResponse('text/plain', await request.text()));
    it.client.send(post('Expect: 100-continue\r\nContent-Length: 5'));
    assert.equal(await it.client.head(), 'HTTP/1.1 100 Continue\r\n\r\n');
    it.client.send('hello');
    assert.equal((await it.client.response()).body.toString(), 'hello');
  });

  test('that the page gives up on is read past', async () => {
    await using it = await pageClient(async (request) => {
      await request.body?.cancel();
      await after(50);
      return textResponse('text/plain', 'enough');
    });
    it.client.send(post(`Content-Length: ${MIB}`));
    for (let i = 0; i < 2; i++) {
      it.client.send(Buffer.alloc(MIB / 2));
      await after(5);
    }
    assert.equal((await it.client.response()).body.toString(), 'enough');
  });

  test('that is malformed fails what reads it, and the client is told why', async () => {
    const failed = moment<unknown>();
    await using it = await pageClient(async (request) => {
      await request.text().catch(failed.happens);
      return textResponse('text/plain', 'never mind');
    });
    it.client.send(`${post('Transfer-Encoding: chunked')}zz\r\n`);
    assert.equal((await it.client.rest()).toString(), refusal('400 Bad Request', 'malformed chunk size: "zz"'));
    assert.ok((await failed.happened) instanceof Error);
  });
});

describe('the body of an answer', () => {
  test('that its client does not read is not asked of the page', async () => {
    let made = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          if (made++ < 100) controller.enqueue(new Uint8Array(MIB));
          else controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    await using it = await pageClient(() => new Response(body));
    it.client.socket.pause();
    it.client.send(GET);
    await after(200);
    const before = made;
    assert.ok(before < 50, `${before} MiB were made`);
    await after(50);
    assert.equal(made, before);
    it.client.socket.removeAllListeners('data').resume();
    let received = 0;
    it.client.socket.on('data', (bytes: Buffer) => (received += bytes.length));
    while (received < 100 * MIB) await once(it.client.socket, 'data');
    assert.equal(made, 101);
  });

  test('that comes later does not keep its head back', async () => {
    const first = moment();
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        await first.happened;
        controller.enqueue(encode('event'));
        controller.close();
      },
    });
    await using it = await pageClient(() => new Response(body));
    it.client.send(GET);
    assert.equal(await it.client.head(), 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    first.happens();
    assert.equal((await it.client.bytes(15)).toString(), '5\r\nevent\r\n0\r\n\r\n');
  });
});

describe('a client that leaves', () => {
  test('before its answer aborts the signal of its request, and the answer is thrown away', async () => {
    const asked = moment();
    const aborted = moment();
    const cancelled = moment();
    await using it = await pageClient(async (request) => {
      asked.happens();
      await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
      aborted.happens();
      return new Response(new ReadableStream({ cancel: cancelled.happens }));
    });
    it.client.send(GET);
    await asked.happened;
    it.client.socket.resetAndDestroy();
    await aborted.happened;
    await cancelled.happened;
    assert.deepEqual(it.listening.logged('error'), []);
  });

  for (const [what, late] of [
    ['throws for that reason', () => Promise.reject(new Error('aborted'))],
    [
      'answers with what cannot be thrown away',
      () => new Response(new ReadableStream({ cancel: () => Promise.reject(new Error('no way')) })),
    ],
  ] as const) {
    test(`before its answer is nobody's fault when the page ${what}`, async () => {
      const [asked, over] = [moment(), moment()];
      await using it = await pageClient(async (request) => {
        asked.happens();
        await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
        setTimeout(over.happens, 20);
        return late();
      });
      it.client.send(GET);
      await asked.happened;
      it.client.socket.resetAndDestroy();
      await over.happened;
      assert.deepEqual(it.listening.logged('error'), []);
      assert.match(it.listening.logged('debug').join('\n'), /^a page ended without its client: /m);
    });
  }

  test('in the middle of its upload fails what reads it', async () => {
    const read = moment();
    const failed = moment<unknown>();
    await using it = await pageClient(async (request) => {
      const reader = readerOf(request);
      await reader.read();
      read.happens();
      await reader.read().catch(failed.happens);
      return textResponse('text/plain', 'too late');
    });
    it.client.send(`${post('Content-Length: 5')}he`);
    await read.happened;
    it.client.socket.resetAndDestroy();
    const error = await failed.happened;
    assert.ok(error instanceof Error);
    assert.equal(error.message, 'the client has left');
    assert.deepEqual(it.listening.logged('error'), []);
  });

  for (const [what, pieces] of [
    ['while more of it comes', 1000],
    ['while nothing comes', 1],
    ['before anything of it has come', 0],
  ] as const) {
    test(`in the middle of its answer ends that: its body is cancelled (${what})`, async () => {
      const cancelled = moment();
      let sent = 0;
      const body = new ReadableStream<Uint8Array>({
        pull: async (controller) => {
          await after(5);
          if (sent++ < pieces) controller.enqueue(encode('x'));
          else await new Promise(() => {});
        },
        cancel: () => cancelled.happens(),
      });
      await using it = await pageClient(() => new Response(body));
      it.client.send(GET);
      await it.client.head();
      if (pieces > 0) await it.client.bytes(6);
      it.client.socket.resetAndDestroy();
      await cancelled.happened;
      assert.deepEqual(it.listening.logged('error'), []);
    });
  }

  test('while it does not read ends its answer, too', async () => {
    const cancelled = moment();
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(MIB)),
      cancel: () => cancelled.happens(),
    });
    await using it = await pageClient(() => new Response(body));
    it.client.socket.pause();
    it.client.send(GET);
    await after(100);
    it.client.socket.resetAndDestroy();
    await cancelled.happened;
  });
});
