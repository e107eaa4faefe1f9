/**
 * Which host, port and path a request means, what its origin gets of it, and the URL it is archived under.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { ok, refusal } from '../support/messages.ts';
import { startOrigin, type OriginOptions } from '../support/origin.ts';
import { startProxy } from '../support/proxy.ts';

interface Case {
  readonly what: string;
  /** `P` stands for the origin's port */
  readonly request: string;
  readonly sent: string;
  readonly url: string;
  readonly origin?: OriginOptions;
}

const CASES: readonly Case[] = [
  {
    what: 'no Host: it is added in front',
    request: 'GET http://127.0.0.1:P/x?y HTTP/1.1\r\nA: 1\r\n\r\n',
    sent: 'GET /x?y HTTP/1.1\r\nHost: 127.0.0.1:P\r\nA: 1\r\n\r\n',
    url: 'http://127.0.0.1:P/x?y',
  },
  {
    what: 'another Host: the target decides',
    request: 'GET http://127.0.0.1:P/ HTTP/1.1\r\nA: 1\r\nhOst: example.org\r\nB: 2\r\n\r\n',
    sent: 'GET / HTTP/1.1\r\nA: 1\r\nhOst: 127.0.0.1:P\r\nB: 2\r\n\r\n',
    url: 'http://127.0.0.1:P/',
  },
  {
    what: 'an empty Host: the target decides',
    request: 'GET http://127.0.0.1:P/ HTTP/1.1\r\nHost:\r\n\r\n',
    sent: 'GET / HTTP/1.1\r\nHost: 127.0.0.1:P\r\n\r\n',
    url: 'http://127.0.0.1:P/',
  },
  {
    what: 'a Host that means the same in another spelling: it is left alone',
    request: 'GET http://localhost:P/ HTTP/1.1\r\nHost:  LocalHost:P \r\n\r\n',
    sent: 'GET / HTTP/1.1\r\nHost:  LocalHost:P \r\n\r\n',
    url: 'http://localhost:P/',
  },
  {
    what: 'scheme and host in capitals',
    request: 'GET HTTP://LOCALHOST:P/A HTTP/1.1\r\nHost: localhost:P\r\n\r\n',
    sent: 'GET /A HTTP/1.1\r\nHost: localhost:P\r\n\r\n',
    url: 'HTTP://LOCALHOST:P/A',
  },
  {
    what: 'IPv6',
    request: 'GET http://[::1]:P/six HTTP/1.1\r\nHost: [::1]:P\r\n\r\n',
    sent: 'GET /six HTTP/1.1\r\nHost: [::1]:P\r\n\r\n',
    url: 'http://[::1]:P/six',
    origin: { address: '::1' },
  },
  {
    what: 'a host in UTF-8',
    request: 'GET http://b\xc3\xbccher.localhost:P/ HTTP/1.1\r\n\r\n',
    sent: 'GET / HTTP/1.1\r\nHost: xn--bcher-kva.localhost:P\r\n\r\n',
    url: 'http://xn--bcher-kva.localhost:P/',
  },
  {
    what: 'a path in UTF-8 and Latin-1: sent as it is, archived percent-encoded',
    request: 'GET http://127.0.0.1:P/\xc3\xbc?\xff HTTP/1.1\r\nHost: 127.0.0.1:P\r\n\r\n',
    sent: 'GET /\xc3\xbc?\xff HTTP/1.1\r\nHost: 127.0.0.1:P\r\n\r\n',
    url: 'http://127.0.0.1:P/%C3%BC?%FF',
  },
  {
    what: 'characters that URL would change',
    request: 'GET http://127.0.0.1:P/a//b/../c/./%7e%zz|"<>?{}`\' HTTP/1.1\r\nHost: 127.0.0.1:P\r\n\r\n',
    sent: 'GET /a//b/../c/./%7e%zz|"<>?{}`\' HTTP/1.1\r\nHost: 127.0.0.1:P\r\n\r\n',
    url: "http://127.0.0.1:P/a//b/../c/./%7e%zz|%22%3C%3E?{}`'",
  },
  {
    what: 'no path: archived with the one that is sent',
    request: 'GET http://127.0.0.1:P HTTP/1.1\r\nHost: 127.0.0.1:P\r\n\r\n',
    sent: 'GET / HTTP/1.1\r\nHost: 127.0.0.1:P\r\n\r\n',
    url: 'http://127.0.0.1:P/',
  },
  {
    what: 'a query without a path',
    request: 'GET http://127.0.0.1:P?q HTTP/1.1\r\nHost: 127.0.0.1:P\r\n\r\n',
    sent: 'GET /?q HTTP/1.1\r\nHost: 127.0.0.1:P\r\n\r\n',
    url: 'http://127.0.0.1:P/?q',
  },
  {
    what: 'a fragment, as the libraries of Python and Java send it',
    request: 'GET http://127.0.0.1:P/a?b#c?d#e HTTP/1.1\r\nHost: 127.0.0.1:P\r\n\r\n',
    sent: 'GET /a?b HTTP/1.1\r\nHost: 127.0.0.1:P\r\n\r\n',
    url: 'http://127.0.0.1:P/a?b',
  },
  {
    what: 'user and password: neither sent on nor made an Authorization of',
    request: 'GET http://user:secr@t@127.0.0.1:P?q HTTP/1.1\r\nHost: 127.0.0.1:P\r\n\r\n',
    sent: 'GET /?q HTTP/1.1\r\nHost: 127.0.0.1:P\r\n\r\n',
    url: 'http://127.0.0.1:P/?q',
  },
  {
    what: 'user and password in the URL and, as Python has it, in Host',
    request: 'GET http://user:secret@127.0.0.1:P/ HTTP/1.1\r\nA: 1\r\nHost: user:secret@127.0.0.1:P\r\nB: 2\r\n\r\n',
    sent: 'GET / HTTP/1.1\r\nA: 1\r\nHost: 127.0.0.1:P\r\nB: 2\r\n\r\n',
    url: 'http://127.0.0.1:P/',
  },
  {
    what: 'user and password, and no Host: it is added without them',
    request: 'GET http://user:secret@127.0.0.1:P/#u@h HTTP/1.1\r\n\r\n',
    sent: 'GET / HTTP/1.1\r\nHost: 127.0.0.1:P\r\n\r\n',
    url: 'http://127.0.0.1:P/',
  },
  {
    what: 'OPTIONS for the whole server',
    request: 'OPTIONS http://127.0.0.1:P HTTP/1.1\r\nHost: 127.0.0.1:P\r\n\r\n',
    sent: 'OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1:P\r\n\r\n',
    url: 'http://127.0.0.1:P',
  },
  {
    what: 'a method nobody knows',
    request: 'x-Fr\x6fb!~ http://127.0.0.1:P/ HTTP/1.1\r\nHost: 127.0.0.1:P\r\n\r\n',
    sent: 'x-Frob!~ / HTTP/1.1\r\nHost: 127.0.0.1:P\r\n\r\n',
    url: 'http://127.0.0.1:P/',
  },
  {
    what: 'an IPv4 address in another spelling',
    request: 'GET http://2130706433:P/ HTTP/1.1\r\n\r\n',
    sent: 'GET / HTTP/1.1\r\nHost: 127.0.0.1:P\r\n\r\n',
    url: 'http://2130706433:P/',
  },
];

for (const { what, request, sent, url, origin: options } of CASES) {
  test(`a target with ${what}`, async () => {
    await using origin = await startOrigin(({ socket }) => socket.write(ok()), options);
    await using proxy = await startProxy();
    using client = await RawClient.connect(proxy.port);
    const withPort = (text: string) => text.replaceAll(':P', `:${origin.port}`);
    client.send(withPort(request));
    assert.equal((await client.response()).status, 200);
    assert.equal(origin.requests[0]?.bytes.toString('latin1'), withPort(sent));
    await proxy.captured(1);
    const [response, archived] = await proxy.records();
    assert.equal(response?.url, withPort(url));
    assert.equal(archived?.url, withPort(url));
    assert.equal(archived.block.toString('latin1'), withPort(sent));
  });
}

const UNKNOWN = 'request target not understood, expected http://host[:port]/path';

for (const [target, reason] of [
  ['/nothing', `${UNKNOWN}: "/nothing"`],
  ['/page?q', `${UNKNOWN}: "/page?q"`],
  ['/status/', `${UNKNOWN}: "/status/"`],
  ['*', `${UNKNOWN}: "*"`],
  ['https://127.0.0.1/', `${UNKNOWN}: "https://127.0.0.1/"`],
  ['ftp://127.0.0.1/', `${UNKNOWN}: "ftp://127.0.0.1/"`],
  ['urn:x:y', `${UNKNOWN}: "urn:x:y"`],
  ['http:/127.0.0.1/', `${UNKNOWN}: "http:/127.0.0.1/"`],
  ['127.0.0.1:80', `${UNKNOWN}: "127.0.0.1:80"`],
] as const) {
  test(`a target like ${target} is no request to a proxy and is refused`, async () => {
    await using proxy = await startProxy();
    using client = await RawClient.connect(proxy.port);
    client.send(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    assert.equal((await client.rest()).toString(), refusal('400 Bad Request', reason));
  });
}
