/** An address of ours that has no page: a browser is shown the way on, a program is refused as ever. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RawClient } from '../support/client.ts';
import { startProxy } from '../support/proxy.ts';

const HTML = 'Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n';

test('a browser that asks for a page that is not there is shown the way to those that are', async () => {
  await using proxy = await startProxy();
  const own = `127.0.0.1:${proxy.port}`;
  for (const [target, host] of [
    ['/nothing', own],
    ['/dashboard/', own],
    ['http://warctap.test/nothing', 'warctap.test'],
  ] as const) {
    using client = await RawClient.connect(proxy.port);
    client.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${HTML}\r\n`);
    const { status, body } = await client.response();
    assert.equal(status, 404, target);
    const page = body.toString();
    assert.match(page, /There is no such page[^]*<a href="\/">/);
    for (const [, file = ''] of page.matchAll(/(?:src|href)="(\/web\/[^"]*)"/g)) {
      client.send(`GET ${file} HTTP/1.1\r\nHost: ${own}\r\n\r\n`);
      assert.equal((await client.response()).status, 200, file);
    }
  }
});

for (const [what, head] of [
  ['a program that takes the proxy for a site', 'Host: 127.0.0.1\r\nAccept: */*\r\n'],
  ['a browser that was led here by the name of somebody else', `Host: example.com\r\n${HTML}`],
] as const) {
  test(`${what} is refused`, async () => {
    await using proxy = await startProxy();
    using client = await RawClient.connect(proxy.port);
    client.send(`GET /nothing HTTP/1.1\r\n${head}\r\n`);
    const answer = (await client.rest()).toString();
    assert.match(
      answer,
      /^HTTP\/1\.1 400 Bad Request\r\n[^]*request target not understood, expected http:\/\/host\[:port\]\/path: "\/nothing"/,
    );
  });
}
