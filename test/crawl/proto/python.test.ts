/** Python's protobuf compiles the .proto, makes requests of it, and reads what is answered: as the published client does. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { findTool } from '../../support/tools.ts';
import { crawlServer } from '../support/server.ts';

const PROTO = join(import.meta.dirname, '../../../src/crawl/proto/starbelly.proto');
const python = findTool({
  commands: [process.env.WARCTAP_CLIENTS_PYTHON, join(import.meta.dirname, '../../../tmp/clients/protobuf/bin/python'), 'python3'],
  ask: ['-c', 'import google.protobuf, grpc_tools.protoc; print("protobuf", google.protobuf.__version__)'],
  says: /^protobuf \d/m,
  needs: 'protobuf and grpcio-tools for python3 (or WARCTAP_CLIENTS_PYTHON)',
});

function run(action: 'make' | 'read', input = ''): string[] {
  const script = join(import.meta.dirname, 'python.py');
  const { status, stdout, stderr } = spawnSync(python.command, [script, PROTO, action], { input, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout.trim().split('\n');
}

test('requests of Python are understood, and the answers by Python', { skip: python.skip }, async (t) => {
  const { client } = await crawlServer(t);
  const asking = await client();
  const raw: Buffer[] = [];
  asking.socket.on('message', (data: Buffer) => raw.push(data));
  const made = run('make');
  for (const [index, hex] of made.entries()) {
    asking.socket.send(Buffer.from(hex, 'hex'));
    await asking.until(() => (asking.responses.length > index ? true : undefined));
  }
  await asking.eventsOf(0, 1);
  const read = run('read', raw.map((bytes) => bytes.toString('hex')).join('\n')).map((line) => JSON.parse(line) as Record<string, unknown>);
  const responses = read.flatMap(({ response }) => (response === undefined ? [] : [response as Record<string, unknown>]));
  assert.deepEqual(
    responses.map((response) => [response.request_id, response.is_success, response.error_message]),
    [
      [0, true, undefined],
      [1, true, undefined],
      [2, true, undefined],
      [3, false, 'No job exists with ID=00000000-0000-0000-0000-000000000000'],
      [-2147483648, true, undefined],
    ],
  );
  const [policies, , subscription] = responses;
  assert.deepEqual(
    (policies?.list_policies as { policies: { name: string }[] }).policies.map(({ name }) => name),
    ['Broad Crawl', 'Deep Crawl'],
  );
  assert.deepEqual(subscription?.new_subscription, { subscription_id: 0 });
  assert.deepEqual(read.find(({ event }) => event !== undefined)?.event, { subscription_id: 0, job_list: {} });
});
