/** The manager with --tls-cert and --tls-key: HTTPS and nothing else; what is wrong with the files is told in one line. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { testCaFile } from '../support/certificate.ts';
import { ADMIN, ask, startQueue, temporaryFolder } from './support.ts';

function askSecurely(url: string, key: string): Promise<{ status: number | undefined; text: string }> {
  return new Promise((done, fail) => {
    const asked = request(url, { headers: { 'X-Heroshi-Auth': key }, agent: false, rejectUnauthorized: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => done({ status: response.statusCode, text }));
    });
    asked.on('error', fail).end();
  });
}

test('calls come by HTTPS, and plain HTTP is told so', async () => {
  const pem = await testCaFile();
  await using queue = await startQueue({ tlsCert: pem, tlsKey: pem });
  assert.match(queue.url, /^https:\/\/127\.0\.0\.1:\d+$/);
  assert.deepEqual(await askSecurely(`${queue.url}/worker`, ADMIN), { status: 200, text: '{"control":"resume","recheck-interval":90}' });
  const plain = await ask(queue.url.replace('https', 'http'), '/worker', { key: ADMIN });
  assert.deepEqual([plain.status, plain.text], [400, 'this port speaks TLS: use an https URL']);
});

test('one that stops does not wait for who has not begun TLS', async () => {
  const pem = await testCaFile();
  const queue = await startQueue({ tlsCert: pem, tlsKey: pem });
  const socket = connect(Number(new URL(queue.url).port), '127.0.0.1');
  await new Promise((done) => socket.once('connect', done));
  await askSecurely(`${queue.url}/worker`, ADMIN);
  const closed = new Promise((done) => socket.once('close', done));
  socket.on('error', () => undefined).resume();
  await queue.close();
  await closed;
});

test('files that will not do are refused by the option', async () => {
  const pem = await testCaFile();
  const other = join(temporaryFolder(), 'other.pem');
  writeFileSync(other, 'no PEM\n');
  const refused = (options: { tlsCert?: string; tlsKey?: string }, message: RegExp) =>
    assert.rejects(startQueue(options), (error: Error) => error.name === 'OptionError' && message.test(error.message));
  await refused({ tlsCert: pem }, /^option tlsCert: expected a file beside that of --tls-key, which is missing, got "/);
  await refused({ tlsKey: pem }, /^option tlsKey: expected a file beside that of --tls-cert, which is missing, got "/);
  await refused({ tlsCert: `${pem}.none`, tlsKey: pem }, /^option tlsCert: expected a file that can be read \(.*\), got "/);
  await refused({ tlsCert: other, tlsKey: pem }, /^option tlsCert: expected a certificate in PEM \(.*\), got "/);
  await refused({ tlsCert: pem, tlsKey: other }, /^option tlsKey: expected the private key of the certificate in .*, in PEM \(.*\), got "/);
});
