/** The Python client 0.0.8, as it is on PyPI, with our service. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findTool } from '../support/tools.ts';
import { runCommand, startService, Workplace } from '../transform/support.ts';
import { run } from './support/run.ts';

const python = findTool({
  commands: [process.env.WARCTAP_CLIENTS_PYTHON, join(import.meta.dirname, '../../tmp/clients/circe/bin/python'), 'python3'],
  ask: ['-c', 'import circe_client, requests; print("has circe_client", circe_client.Client.poll.__name__)'],
  says: /^has circe_client poll/m,
  needs: 'the Python client circe-client-CERTIC (sh test/clients/install-circe.sh)',
});

const SCRIPT = `
import json, sys
from circe_client import AccessDenied, Client, TimeoutException
endpoint, secret, uuid, file = sys.argv[1:5]
client = Client(api_endpoint=endpoint, secret_key=secret, application_uuid=uuid)
said = {'has': 'donothing' in client.available_transformations()}
def job(name='donothing'):
    return client.new_job().add_file(file).add_file(file, 'sub/b é.txt').add_transformation(name, {'a': 1})
waited = job()
client.send(waited, wait=True)
said['waited'] = sorted((name, handle.read().decode()) for name, handle in waited.result.documents)
said['log'] = [line['message'] for line in waited.result.log]
polled = job('nobody')
client.send(polled)
said['uuid'] = polled.uuid
client.poll(polled, timeout=60)
said['files'] = sorted(name for name, _ in polled.result.files)
said['warning'] = [line['level'] for line in polled.result.log]
client.fetch(polled)
stranger = Client(api_endpoint=endpoint, secret_key='wrong', application_uuid=uuid)
for wait in (True, False):
    try: stranger.send(job(), wait=wait)
    except AccessDenied: said['denied'] = said.get('denied', 0) + 1
lost = job()
lost.uuid = '11111111111141118111111111111111'
try: client.poll(lost, timeout=0)
except TimeoutException: said['timeout'] = True
print(json.dumps(said))
`;

test('the Python client sends, waits, polls and fetches, and is told what is denied', { skip: python.skip, timeout: 100_000 }, async () => {
  const place = new Workplace();
  const file = place.write('a.txt', 'text é');
  const credentials = join(place.dir, 'credentials.json');
  await runCommand(place, ['make-api-access', '--title', 'python', '--out', credentials]);
  const { uuid, secret } = JSON.parse(readFileSync(credentials, 'utf8')) as { uuid: string; secret: string };
  await using service = await startService(place, ['run'], { CIRCE_USE_AUTH: '1' });
  const { code, stdout, stderr } = await run(python.command, ['-c', SCRIPT, `${service.url}/`, secret, uuid, file], { cwd: place.dir });
  assert.equal(code, 0, stderr);
  const { uuid: id, ...said } = JSON.parse(stdout.toString()) as Record<string, unknown>;
  assert.match(String(id), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.deepEqual(said, {
    has: true,
    waited: [
      ['a.txt', 'text é'],
      ['sub/b é.txt', 'text é'],
    ],
    log: ['Executing transformation donothing'],
    files: ['a.txt', 'job.json', 'out.log', 'sub/b é.txt'],
    warning: ['WARNING'],
    denied: 2,
    timeout: true,
  });
});
