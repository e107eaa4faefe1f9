/**
 * What the proxy sends on, read by somebody else: the parser of `node:http`, as usual and as lenient as it can be.
 *
 * Requests: either that reader refuses them, or it sees the same method, target and body, and the next request where we see it.
 * Responses: either it refuses them, or it sees the same body, and the next response where we see it (RFC 9112 §11.1, §11.2).
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get as httpGet } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { bytes, readMessage } from '../http1/read.ts';
import { REQUESTS, RESPONSES, TOKENS } from './corpus/http1.ts';
import { LENIENCIES, nodeParser, type Leniency, type NodeReading } from './node-parser.ts';
import { sentRequest, sentResponse, type SentResponse } from './sent-on.ts';
import { fuzz, LONG, mutate, mutations, named, Tally } from './support.ts';

const node = nodeParser()!;
const skip = (node as unknown) === undefined && 'this version of Node does not let its parser be called';
const NEXT_REQUEST = 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n';
const NEXT_RESPONSE = 'HTTP/1.1 299 Next\r\nContent-Length: 4\r\n\r\nnext';
const changes = mutations(TOKENS);

interface SentOn {
  readonly head: Buffer;
  readonly body: string;
  readonly payload: string;
  readonly method: string;
  readonly path: string;
  readonly done: boolean;
  readonly persistent: boolean;
}

/** @returns undefined for what never reaches an origin */
function requestSentOn(stream: Buffer): SentOn | undefined {
  const read = readMessage([stream], 'request');
  const sent = read.error === undefined ? sentRequest(read) : undefined;
  if (sent === undefined) return undefined;
  const { head, target, headBytes } = sent;
  const { body, payload, done } = read;
  return { head: headBytes, body, payload, method: head.method, path: target.path, done, persistent: head.minor === 1 };
}

function requestAgrees(sent: SentOn, leniency: Leniency, tally: Tally): void {
  // Behind a handshake nothing is sent before it is answered.
  const upgrades = /\r\nupgrade: /i.test(sent.head.toString('latin1'));
  const follows = sent.done && sent.persistent && !upgrades ? NEXT_REQUEST : '';
  const { messages, error } = node.requests(Buffer.concat([sent.head, bytes(sent.body), bytes(follows)]), leniency);
  const [first, second] = messages;
  if (first?.complete !== true) {
    // Node may refuse what we accept, and say so before it has handed anything on as whole.
    assert.ok(error !== undefined || !sent.done, `${leniency}: not complete`);
    return tally.add(error === undefined ? 'incomplete' : `refused by node (${error})`);
  }
  assert.ok(sent.done, `${leniency}: complete before its end`);
  assert.deepEqual([first.method, first.url, first.body], [sent.method, sent.path, sent.payload], leniency);
  if (follows === '') assert.deepEqual([second, error], [undefined, undefined]);
  // It heeds Connection in a trailer, too, and refuses what follows: that ends the connection, and is no other reading.
  else if (error === 'HPE_CLOSED_CONNECTION') return tally.add('closed by node');
  else assert.deepEqual([messages.length, second?.url, second?.complete, error], [2, '/next', true, undefined], leniency);
  tally.add('understood alike');
}

function responseAgrees(sent: SentResponse, method: string, leniency: Leniency, tally: Tally): void {
  const follows = sent.closes ? '' : NEXT_RESPONSE;
  const reading = node.responses(Buffer.concat([sent.toClient, bytes(follows)]), leniency, method);
  const finals = reading.messages.filter(({ status = 0 }) => status >= 200);
  const [first, second] = finals;
  if ((sent.error !== undefined || !sent.done) && !sent.untilClose) return cutAgrees(sent, reading, leniency, tally);
  if (first?.complete !== true) {
    assert.notEqual(reading.error, undefined, `${leniency}: not complete`);
    return tally.add(`refused by node (${reading.error ?? ''})`);
  }
  // The most lenient reader counts line ends of its own in chunks that are not exact; the client's connection is closed behind them.
  if (leniency === 'lenient' && !sent.exact && first.body !== sent.payload) return tally.add('other chunks for node');
  assert.equal(first.body, sent.payload, leniency);
  // In a trailer that is none the most lenient reader may see another answer: the client's connection is closed behind it.
  if (follows === '' && leniency === 'lenient' && !sent.exact) tally.add('closed behind what may be more for node');
  else if (follows === '') assert.equal(second, undefined, leniency);
  else if (reading.error === 'HPE_CLOSED_CONNECTION') return tally.add('closed by node');
  else {
    assert.equal(reading.error, undefined, leniency);
    assert.deepEqual([finals.length, second?.status, second?.body, second?.complete], [2, 299, 'next', true], leniency);
  }
  tally.add('understood alike');
}

/**
 * The client's connection is cut: it must not take for whole what is not. Only the most lenient reader may, which takes CR for a line end:
 * nothing that it does not get from the origin's own bytes comes after them.
 */
function cutAgrees(sent: SentResponse, { messages }: NodeReading, leniency: Leniency, tally: Tally): void {
  const first = messages.find(({ status = 0 }) => status >= 200);
  if (leniency === 'lenient' && first?.complete === true) return tally.add('cut behind what is whole for node');
  assert.ok(first?.complete !== true, `${leniency}: complete, but not for us: ${sent.error ?? ''}`);
  tally.add('cut');
}

function checkResponse(stream: Buffer, method: string, http10: boolean, tally: Tally): void {
  const sent = sentResponse([stream], method, http10);
  if (sent === undefined || typeof sent === 'string') return tally.add('refused by us');
  for (const leniency of LENIENCIES) responseAgrees(sent, method, leniency, tally);
}

function checkRequest(stream: Buffer, tally: Tally): void {
  const sent = requestSentOn(stream);
  if (sent === undefined) return tally.add('refused by us');
  for (const leniency of LENIENCIES) requestAgrees(sent, leniency, tally);
}

describe('requests', { skip }, () => {
  for (const seed of REQUESTS) {
    test(seed.name, () => {
      const tally = new Tally();
      checkRequest(seed.bytes, tally);
    });
  }

  test('mutated ones', LONG, async (t) => {
    const tally = new Tally();
    const [seed, other] = [fc.constantFrom(...REQUESTS), fc.constantFrom(...REQUESTS, ...RESPONSES)];
    const property = fc.property(seed, other, changes, (message, donor, mutation) => {
      const stream = mutate(message.bytes, mutation, donor.bytes);
      named(stream, () => checkRequest(stream, tally));
    });
    await fuzz(t, property, 8_000, tally);
    assert.ok(tally.of('understood alike') > 200 && tally.of('refused by us') > 100, String(tally));
  });
});

describe('responses', { skip }, () => {
  for (const seed of RESPONSES) {
    test(seed.name, () => {
      for (const http10 of [false, true]) checkResponse(seed.bytes, seed.method, http10, new Tally());
    });
  }

  test('mutated ones', LONG, async (t) => {
    const tally = new Tally();
    const [seed, other] = [fc.constantFrom(...RESPONSES), fc.constantFrom(...REQUESTS, ...RESPONSES)];
    const property = fc.property(seed, other, changes, fc.nat(9), (message, donor, mutation, tenth) => {
      const stream = mutate(message.bytes, mutation, donor.bytes);
      named(stream, () => checkResponse(stream, message.method, tenth === 0, tally));
    });
    await fuzz(t, property, 8_000, tally);
    assert.ok(tally.of('understood alike') > 200 && tally.of('refused by us') > 50, String(tally));
  });
});

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** The first request, or the first body, that a real server or client of node:http hands on; undefined when it refuses. */
async function servedBy(sent: Buffer, insecureHTTPParser: boolean): Promise<string | undefined> {
  let seen: string | undefined;
  const server = createServer({ insecureHTTPParser }, (request, answer) => {
    const whose = seen === undefined;
    let body = '';
    request.setEncoding('latin1');
    request.on('data', (piece: string) => (body += piece));
    request.on('end', () => {
      if (whose) seen = `${request.method ?? ''} ${request.url ?? ''} ${body}`;
      answer.end();
    });
  });
  server.on('checkContinue', (request, answer) => void server.emit('request', request, answer));
  const socket = connect(await listening(server), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  socket.end(sent);
  await once(socket, 'close');
  server.closeAllConnections();
  server.close();
  return seen;
}

async function clientOf(sent: Buffer, insecureHTTPParser: boolean): Promise<string | undefined> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(sent));
  });
  const port = await listening(server);
  const body = await new Promise<string | undefined>((resolve) => {
    const request = httpGet({ port, host: '127.0.0.1', insecureHTTPParser, agent: false }, (answer) => {
      let received = '';
      answer.setEncoding('latin1');
      answer.on('data', (piece: string) => (received += piece));
      answer.on('end', () => resolve(received)).on('error', () => resolve(undefined));
    });
    request.on('error', () => resolve(undefined));
  });
  server.close();
  return body;
}

test('the parser reads as servers and clients of node:http do', { skip }, async () => {
  for (const leniency of LENIENCIES) {
    for (const seed of REQUESTS) {
      const sent = requestSentOn(seed.bytes);
      if (sent?.done !== true) continue;
      const wire = Buffer.concat([sent.head, bytes(sent.body)]);
      const [first] = node.requests(wire, leniency).messages;
      const expected = first?.complete === true ? `${first.method ?? ''} ${first.url ?? ''} ${first.body}` : undefined;
      assert.equal(await servedBy(wire, leniency === 'lenient'), expected, `${seed.name}, ${leniency}`);
    }
    for (const seed of RESPONSES) {
      const sent = sentResponse([seed.bytes], seed.method);
      if (sent === undefined || typeof sent === 'string' || seed.method !== 'GET' || sent.error !== undefined) continue;
      const first = node.responses(sent.toClient, leniency, 'GET').messages.find(({ status = 0 }) => status >= 200);
      assert.equal(await clientOf(sent.toClient, leniency === 'lenient'), first?.complete === true ? first.body : undefined, seed.name);
    }
  }
});
