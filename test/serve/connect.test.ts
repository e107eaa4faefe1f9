/** CONNECT in front of a handler. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientRequest, ClientTunnel } from '../../src/http/sides.ts';
import { withTunnels } from '../../src/serve/connect.ts';
import { clientRequest, refusal, requestHead } from '../http1/read.ts';
import { FakeClient } from '../support/client-side.ts';

const INSIDE: ClientTunnel = { scheme: 'https', host: 'a', port: 443, servername: undefined };

const connect = (target: string, fields = '', tunnel?: ClientTunnel) =>
  clientRequest(requestHead(fields, `CONNECT ${target} HTTP/1.1`), tunnel);

/** What becomes of a request: what its client was told, and which requests went to the handler behind. */
function asked(request: ClientRequest): { readonly client: FakeClient; readonly passed: readonly ClientRequest[] } {
  const client = new FakeClient();
  const passed: ClientRequest[] = [];
  withTunnels((one, side) => {
    assert.equal(side, client);
    passed.push(one);
  })(request, client);
  return { client, passed };
}

for (const [target, host, port] of [
  ['example.com:443', 'example.com', 443],
  ['EXAMPLE.com:80', 'example.com', 80],
  ['[2001:db8::0:1]:8443', '2001:db8::1', 8443],
] as const) {
  test(`CONNECT ${target} opens a tunnel, and goes no further`, () => {
    const { client, passed } = asked(connect(target));
    assert.deepEqual(client.tunnels, [{ host, port }]);
    assert.deepEqual([client.told.length, passed], [1, []]);
  });
}

test('a length of 0 is no body', () => {
  assert.deepEqual(asked(connect('a:443', 'Content-Length: 0\r\n')).client.tunnels, [{ host: 'a', port: 443 }]);
});

for (const tunnel of [undefined, INSIDE]) {
  test(`any other request goes on as it is, ${tunnel === undefined ? 'outside of' : 'in'} a tunnel`, () => {
    const request = clientRequest(requestHead('Host: a\r\n', 'connect / HTTP/1.1'), tunnel);
    const { client, passed } = asked(request);
    assert.equal(passed[0], request);
    assert.deepEqual(client.told, []);
  });
}

for (const [what, request, said] of [
  ['inside of a tunnel', connect('a:443', '', INSIDE), 'CONNECT inside of a tunnel: "a:443"'],
  ['with a body', connect('a:443', 'Content-Length: 1\r\n'), 'CONNECT with a body: "a:443"'],
  ['without a port', connect('a'), 'CONNECT target not understood, expected host:port: "a"'],
  ['with a bad host', connect('ab@c:443'), 'host not understood, expected host or host:port: "***@c:443"'],
] as const) {
  test(`CONNECT ${what} is refused`, () => {
    const client = new FakeClient();
    assert.throws(() => withTunnels(() => assert.fail('it went on'))(request, client), refusal(said));
    assert.deepEqual(client.told, []);
  });
}
