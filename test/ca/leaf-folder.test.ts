/** The folder of certificates: what is kept there, and for how long. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { CertificateAuthority } from '../../src/ca/authority.ts';
import { openLeafStore } from '../../src/ca/contexts.ts';
import { silentLog } from '../../src/util/log.ts';
import { constantIn } from '../support/docs.ts';
import { DAY_MS, newCa, openStore, temporaryFolder } from './support.ts';

const MAX_KEPT = 20;
const MAX_KEPT_MS = constantIn('src/ca/leaf-folder.ts', 'MAX_KEPT_MS');

let ca: CertificateAuthority;
/** A certificate of a host, as it is kept. */
let leaf: string;
let authority: string;
before(async () => {
  ca = await newCa(temporaryFolder());
  authority = readFileSync(ca.file, 'utf8');
  const dir = temporaryFolder();
  await visited(dir, 'www.before.com');
  leaf = readFileSync(join(dir, 'before.com.pem'), 'utf8');
});

/** One host asked for, and its origin reached. */
async function visited(dir: string, host: string): Promise<void> {
  const store = await openStore(ca, dir, { maxKept: MAX_KEPT });
  await store.secureContext(host);
  await store.close();
}

function file(dir: string, name: string, ageMs: number, content = leaf): void {
  writeFileSync(join(dir, name), content);
  const at = new Date(Date.now() - ageMs);
  utimesSync(join(dir, name), at, at);
}

test('a certificate is kept once an origin of its name has been reached, and no other', async () => {
  const dir = temporaryFolder();
  const store = await openLeafStore({ ca, dir, log: silentLog });
  for (let index = 0; index < 50; index++) await store.secureContext(`www.invented-${index}.com`);
  store.keep('www.invented-7.com');
  store.keep('invented-7.com');
  store.keep('www.never-asked-for.com');
  store.keep('not a name');
  await store.close();
  assert.deepEqual(readdirSync(dir).sort(), ['invented-7.com.pem', 'leaf.key']);
});

test('what is older than the bound goes, what is not ours stays', async () => {
  const dir = temporaryFolder();
  const old = MAX_KEPT_MS + DAY_MS;
  const other = await newCa(temporaryFolder());
  file(dir, 'old.com.pem', old);
  file(dir, 'young.com.pem', MAX_KEPT_MS - DAY_MS);
  file(dir, 'authority.pem', old, authority);
  file(dir, 'certificate-of-authority.pem', old, ca.certificatePem);
  file(dir, 'certificate-of-another.pem', old, other.certificatePem);
  file(dir, 'leaf-with-a-key.pem', old, `${leaf}-----BEGIN PRIVATE KEY-----\n`);
  file(dir, 'text.pem', old, 'no certificate');
  file(dir, 'old.crt', old);
  await visited(dir, 'www.new.com');
  assert.deepEqual(readdirSync(dir).sort(), [
    'authority.pem',
    'certificate-of-another.pem',
    'certificate-of-authority.pem',
    'leaf-with-a-key.pem',
    'leaf.key',
    'new.com.pem',
    'old.crt',
    'text.pem',
    'young.com.pem',
  ]);
});

test(`of more than ${MAX_KEPT} the oldest go`, async () => {
  const dir = temporaryFolder();
  const name = (index: number) => join(dir, `host-${index}.com.pem`);
  for (let index = 0; index < MAX_KEPT + 2; index++) writeFileSync(name(index), leaf);
  const oldest = [MAX_KEPT, 5, 17];
  for (const [age, index] of oldest.entries()) utimesSync(name(index), age, age + Date.now() / 1000 - 3600);
  await visited(dir, 'www.new.com');
  assert.deepEqual(
    oldest.filter((index) => existsSync(name(index))),
    [],
  );
  assert.ok(existsSync(join(dir, 'new.com.pem')));
  assert.equal(readdirSync(dir).length, MAX_KEPT + 1);
});
