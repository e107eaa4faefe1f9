/**
 * The proxy inside of a program.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProxy, OptionError, type WarctapOptions } from '../../src/index.ts';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProxy } from '../support/proxy.ts';

test('"await using" closes the proxy at the end of the block', async () => {
  const ports: number[] = [];
  {
    await using proxy = await startProxy();
    ports.push(proxy.port);
    assert.equal(proxy.proxy.url, `http://127.0.0.1:${proxy.port}`);
  }
  const [port = 0] = ports;
  await assert.rejects(RawClient.connect(port), { code: 'ECONNREFUSED' });
});

test('the event "capture" tells of exchanges with their records, and its bytes can be read', async () => {
  await using origin = await startOrigin(({ socket }) => socket.write(ok('hello')));
  await using proxy = await startProxy();
  const seen = new Promise<string>((resolve) =>
    proxy.proxy.once('capture', (capture) => {
      assert.ok(capture.kind === 'exchange');
      assert.deepEqual(
        capture.outcome.records?.map(({ type }) => type),
        ['response', 'request'],
      );
      resolve(Buffer.concat(capture.response.bytes.memory ?? []).toString());
    }),
  );
  using client = await RawClient.connect(proxy.port);
  client.send(get(`${origin.url}/`));
  assert.equal(await seen, ok('hello'));
});

test('a listener that throws is logged, and nothing is lost', async () => {
  const errors: string[] = [];
  const quiet = () => undefined;
  await using origin = await startOrigin(({ socket }) => socket.write(ok()));
  await using proxy = await startProxy({
    log: { debug: quiet, info: quiet, warn: quiet, error: (_fields, message) => errors.push(message) },
  });
  proxy.proxy.on('capture', () => {
    throw new Error('not mine');
  });
  using client = await RawClient.connect(proxy.port);
  for (let i = 0; i < 2; i++) {
    client.send(get(`${origin.url}/`));
    assert.equal((await client.response()).status, 200);
  }
  assert.equal((await proxy.records()).filter(({ type }) => type === 'request').length, 2);
  assert.deepEqual(errors, Array(2).fill('a listener of the event "capture" has thrown'));
});

for (const [name, value] of [
  ['port', 70_000],
  ['socketTimeout', 0],
  ['digestAlgorithm', 'crc32'],
  ['warcFilename', '{prefix}-{nonsense}'],
  ['socksProxy', 'nowhere'],
  ['warcVersion', '2.0'],
  ['prefix', '../x'],
] as const) {
  test(`a bad value for ${name} is an OptionError of one line that names it`, async () => {
    await assert.rejects(createProxy({ [name]: value }), (error) => {
      assert.ok(error instanceof OptionError);
      assert.match(error.message, /^[^\n]+$/);
      const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      assert.ok(error.message.includes(name) || error.message.includes(flag), error.message);
      return true;
    });
  });
}

test('an option that does not exist is told, with the one that was meant', async () => {
  await assert.rejects(createProxy({ prot: 8000 } as WarctapOptions), { message: 'there is no option prot, the nearest is port' });
});
