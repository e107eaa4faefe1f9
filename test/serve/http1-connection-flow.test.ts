/** One connection of a client over a real socket: order, back-pressure both ways, clients that leave or close a side, and the end of it all. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { plainAnswer } from '../../src/http/answer.ts';
import { AS_IT_IS, type ClientSide, type Handler } from '../../src/http/sides.ts';
import { bodySink, responseHead } from '../support/client-side.ts';
import { ok, refusal } from '../support/messages.ts';
import { CLOSING, connected, GET, LENGTH_2, OK_HEAD, passOn, POST, text, whole } from './connection-support.ts';

const MIB = 1024 * 1024;
const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const get = (path: string) => GET.replace('/x', path);

/** Something that a handler does, and a test waits for. */
function moment(): { readonly happens: () => void; readonly happened: Promise<void> } {
  let happens = () => {};
  const happened = new Promise<void>((resolve) => (happens = resolve));
  return { happens, happened };
}

describe('an answer in chunks', () => {
  const CHUNKS = '3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nSum: 1\r\n\r\n';
  const chunked = whole((client) => {
    const head = responseHead(200, 'OK', ['Trailer', 'Sum'], ['Transfer-Encoding', 'chunked']);
    client.head(head, { kind: 'chunked' }, AS_IT_IS);
    client.body(Buffer.from(CHUNKS), [Buffer.from('abc'), Buffer.from('de')]);
    client.end(undefined, true);
  });

  test('reaches a client as it is', async () => {
    await using it = await connected(chunked);
    it.client.send(`${GET}${GET}`);
    const answer = `HTTP/1.1 200 OK\r\nTrailer: Sum\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`;
    assert.equal(text(await it.client.bytes(2 * answer.length)), answer + answer);
  });

  test('reaches a client of HTTP/1.0 without them, and the connection ends', async () => {
    await using it = await connected(chunked);
    it.client.send('GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    assert.equal(text(await it.client.rest()), 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcde');
  });

  test('reaches one that comes after an answer to HTTP/1.1 in no other way', async () => {
    await using it = await connected(chunked);
    it.client.send(`${GET}GET /x HTTP/1.0\r\n\r\n`);
    assert.ok(text(await it.client.rest()).endsWith(`${CHUNKS}HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcde`));
  });
});

test('a body that lasts as long as the connection ends it', async () => {
  const handler = whole((client) => {
    client.head(responseHead(200, 'OK'), { kind: 'close' }, AS_IT_IS);
    client.body(Buffer.from('hello'), []);
    client.end(undefined, true);
  });
  await using it = await connected(handler);
  it.client.send(`${GET}${GET}`);
  assert.equal(text(await it.client.rest()), 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello');
});

test('pipelined requests are answered in their order, however long each takes', async () => {
  const order: string[] = [];
  const handler: Handler = ({ head, hasBody }, client) => {
    order.push(`asked ${head.target}`);
    const answer = () => {
      order.push(`answered ${head.target}`);
      client.answer(plainAnswer(200, head.target));
    };
    const delayMs = Number(head.target.slice(1));
    const serve = () => client.serve(bodySink({ endRequest: answer }));
    if (delayMs === 0) serve();
    else setTimeout(hasBody ? serve : answer, delayMs);
  };
  await using it = await connected(handler);
  const paths = ['/20', '/0', '/10', '/0', '/5'];
  it.client.send(paths.map((path) => (path === '/10' ? `${POST.replace('/x', path)}hello` : get(path))).join(''));
  const answers = paths.map((path) => refusal('200 OK', path, false)).join('');
  assert.equal(text(await it.client.bytes(answers.length)), answers);
  assert.deepEqual(
    order,
    paths.flatMap((path) => [`asked ${path}`, `answered ${path}`]),
  );
});

describe('a client that leaves', () => {
  /** What a handler hears that was served this request, begins its answer or has ended it. */
  async function left(request: string, how: 'destroy' | 'resetAndDestroy', answer: 'none' | 'begun' | 'whole'): Promise<readonly string[]> {
    const told: string[] = [];
    const [served, over] = [moment(), moment()];
    await using it = await connected((_request, client) => {
      client.untilGone().addEventListener('abort', () => {
        told.push('aborted');
        assert.equal(client.gone, true);
        setTimeout(over.happens, 20);
      });
      client.serve(bodySink({ clientGone: () => told.push('clientGone'), endRequest: () => told.push('endRequest') }));
      if (answer === 'whole') passOn(client);
      if (answer === 'begun') client.head(OK_HEAD, LENGTH_2, AS_IT_IS);
      client.flush();
      assert.equal(client.gone, false);
      served.happens();
    });
    it.client.send(request);
    await served.happened;
    if (answer !== 'none') await it.client.head();
    it.client.socket[how]();
    await over.happened;
    assert.deepEqual(it.listening.logged('error'), []);
    return told.sort();
  }

  for (const how of ['destroy', 'resetAndDestroy'] as const) {
    test(`in the middle of its body is told of once (${how})`, async () => {
      assert.deepEqual(await left(`${POST}he`, how, 'none'), ['aborted', 'clientGone']);
    });
  }

  for (const answer of ['none', 'begun'] as const) {
    test(`with a reset when its answer has ${answer === 'none' ? 'not ' : ''}begun is told of once`, async () => {
      assert.deepEqual(await left(GET, 'resetAndDestroy', answer), ['aborted', 'clientGone', 'endRequest']);
    });
  }

  test('after its answer was whole is nothing to whoever has served it', async () => {
    assert.deepEqual(await left(GET, 'destroy', 'whole'), ['aborted', 'endRequest']);
  });
});

describe('back-pressure', () => {
  test('a client that does not read holds interim answers back, and is told of when it reads again', async () => {
    const hint = responseHead(103, 'Early Hints', ['Link', 'x'.repeat(100_000)]);
    const stuck = moment();
    const resumed = moment();
    let sent = 0;
    await using it = await connected((_request, client) => {
      client.serve(bodySink({ resumeResponse: resumed.happens }));
      while (client.interim(hint, AS_IT_IS) && sent < 1000) sent++;
      stuck.happens();
    });
    it.client.socket.pause();
    it.client.send(GET);
    await stuck.happened;
    assert.ok(sent < 1000, 'all of them were sent');
    it.client.socket.resume();
    await resumed.happened;
  });

  test('a client that asks on and on without reading is not answered on and on', async () => {
    const size = 64 * 1024;
    let answered = 0;
    await using it = await connected(
      whole((client) => {
        answered++;
        client.head(responseHead(200, 'OK', ['Content-Length', String(size)]), { kind: 'length', length: size }, AS_IT_IS);
        client.body(Buffer.alloc(size, 'x'), []);
        client.end(undefined, true);
      }),
    );
    it.client.socket.pause();
    it.client.send(GET.repeat(500));
    let before = -1;
    while (answered !== before) {
      before = answered;
      await after(50);
    }
    assert.ok(answered > 0 && answered < 500, `${answered} answers`);
    it.client.socket.resume();
    for (let nth = 0; nth < 500; nth++) assert.equal((await it.client.response()).body.length, size);
  });

  test('a client that does not read holds the answer back, and is told of when it reads again', async () => {
    const size = 64 * MIB;
    const stuck = moment();
    let sent = 0;
    let waits = 0;
    let resumed = 0;
    const send = (client: ClientSide) => {
      while (sent < size) {
        sent += MIB;
        if (client.body(Buffer.alloc(MIB, 'x'), [])) continue;
        waits++;
        return stuck.happens();
      }
      client.end(undefined, true);
    };
    await using it = await connected((_request, client) => {
      const resumeResponse = () => {
        resumed++;
        send(client);
      };
      client.serve(bodySink({ resumeResponse }));
      client.head(responseHead(200, 'OK', ['Content-Length', String(size)]), { kind: 'length', length: size }, AS_IT_IS);
      send(client);
    });
    it.client.socket.pause();
    it.client.send(GET);
    await stuck.happened;
    await after(50);
    assert.ok(sent < size, `all of it was sent`);
    const before = resumed;
    await after(50);
    assert.equal(resumed, before);
    it.client.socket.removeAllListeners('data').resume();
    let received = 0;
    it.client.socket.on('data', (bytes: Buffer) => (received += bytes.length));
    while (received < size) await once(it.client.socket, 'data');
    assert.equal(sent, size);
    assert.ok(waits >= resumed, `${waits} waits, ${resumed} resumptions`);
  });

  test('a handler that takes no more holds its client back, until it says so', async () => {
    const size = 64 * MIB;
    let received = 0;
    let ready = false;
    const stuck = moment();
    let side: ClientSide | undefined;
    await using it = await connected((_request, client) => {
      side = client;
      const write = (bytes: Buffer) => {
        received += bytes.length;
        if (!ready) stuck.happens();
        return ready;
      };
      client.serve(bodySink({ write, endRequest: () => passOn(client) }));
    });
    it.client.send(`POST /x HTTP/1.1\r\nContent-Length: ${size}\r\n\r\n`);
    for (let i = 0; i < 64; i++) it.client.send(Buffer.alloc(MIB));
    await stuck.happened;
    await after(50);
    const first = received;
    assert.ok(first < MIB, `${first} bytes came`);
    assert.ok(it.client.socket.writableLength > MIB);
    side?.resumeRequest();
    while (received === first) await after(1);
    assert.ok(received < first + MIB, `${received - first} bytes more came`);
    ready = true;
    side?.resumeRequest();
    await it.client.bytes(ok().length);
    assert.equal(received, size);
  });

  test('pipelined requests are not read as long as one before them is not answered', async () => {
    await using it = await connected(() => {});
    it.client.send(GET);
    for (let i = 0; i < 64; i++) it.client.send(Buffer.alloc(MIB, GET));
    await after(100);
    assert.ok(it.client.socket.writableLength > MIB);
  });
});

describe('a client that closes its side', () => {
  const later = whole((client) => void setTimeout(() => passOn(client), 20));

  test('gets the answers to all that it has asked, the last of them with Connection: close', async () => {
    await using it = await connected(later);
    it.client.socket.end(`${GET}${POST}hello${GET}`);
    assert.equal(text(await it.client.rest()), `${ok()}${ok()}${CLOSING}`);
  });

  test('between two requests gets the end of its connection', async () => {
    await using it = await connected(later);
    it.client.send(GET);
    await it.client.bytes(ok().length);
    it.client.socket.end('\r\n');
    assert.equal(text(await it.client.rest()), '');
  });

  for (const [what, part, said] of [
    ['head', 'GET /x HT', 'request ended before its head was complete'],
    ['body', `${POST}he`, 'request ended before its body was complete'],
  ] as const) {
    test(`in the middle of a ${what} is told so`, async () => {
      await using it = await connected(later);
      it.client.socket.end(`${GET}${part}`);
      assert.equal(text(await it.client.rest()), ok() + refusal('400 Bad Request', said));
    });
  }
});

describe('when the program stops', () => {
  test('what is being answered goes on to its end, and the connection closes', async () => {
    const begun = moment();
    let go: () => void = () => assert.fail('no request came');
    await using it = await connected(
      whole((client) => {
        client.head(OK_HEAD, LENGTH_2, AS_IT_IS);
        client.flush();
        go = () => {
          client.body(Buffer.from('ok'), []);
          client.end(undefined, true);
        };
        begun.happens();
      }),
    );
    it.client.send(`${GET}${GET}`);
    await begun.happened;
    it.listening.listener.stop();
    await after(20);
    go();
    assert.equal(text(await it.client.rest()), ok());
    assert.ok(it.client.socket.readableEnded);
  });

  test('an answer that has not begun says that the connection closes', async () => {
    const begun = moment();
    let go: () => void = () => assert.fail('no request came');
    await using it = await connected(
      whole((client) => {
        go = () => passOn(client);
        begun.happens();
      }),
    );
    it.client.send(GET);
    await begun.happened;
    it.listening.listener.stop();
    go();
    assert.equal(text(await it.client.rest()), CLOSING);
  });

  for (const part of ['', 'GET /x HT']) {
    test(`a connection without a request is closed at once (${JSON.stringify(part)})`, async () => {
      await using it = await connected(() => assert.fail('nothing to serve'));
      it.client.send(part);
      await after(20);
      it.listening.listener.stop();
      assert.equal(text(await it.client.rest()), '');
    });
  }
});
