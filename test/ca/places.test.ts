import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { caPlaces } from '../../src/ca/places.ts';
import { silentLog, type Log } from '../../src/util/log.ts';

const began = process.cwd();
let folder: string;
let told: string[];
const log: Log = { ...silentLog, warn: (_, message) => told.push(`warn ${message}`), info: (_, message) => told.push(`info ${message}`) };
beforeEach(() => {
  told = [];
  folder = mkdtempSync(join(tmpdir(), 'warctap-places-'));
  process.chdir(folder);
  mkdirSync('certs');
});
afterEach(() => {
  process.chdir(began);
  rmSync(folder, { recursive: true });
});

/** The first is the newest. */
function files(...names: readonly string[]): void {
  for (const [index, name] of names.entries()) {
    writeFileSync(`certs/${name}`, '');
    utimesSync(`certs/${name}`, 1000 - index, 1000 - index);
  }
}

const places = (file?: string, leaves?: string) => caPlaces({ file, leaves }, 'me', log);

test('what is given counts', async () => {
  files('other-warcprox-ca.pem');
  assert.deepEqual(await places('/x/ca.pem', '/x/leaves'), { file: '/x/ca.pem', leaves: '/x/leaves' });
  assert.deepEqual(await places('/x/ca.pem'), { file: '/x/ca.pem', leaves: './certs/me-warcprox-ca' });
  assert.deepEqual(told, []);
});

test('an empty folder, and none at all, get a file with the name of this machine', async () => {
  const fresh = { file: './certs/me-warcprox-ca.pem', leaves: './certs/me-warcprox-ca' };
  files('README.md', 'me-warcprox-ca.txt');
  assert.deepEqual(await places(), fresh);
  rmSync('certs', { recursive: true });
  assert.deepEqual(await places(), fresh);
  assert.deepEqual(told, []);
});

test('the file of this machine is taken, however many there are', async () => {
  files('newer-warcprox-ca.pem', 'me-warcprox-ca.pem');
  assert.deepEqual((await places()).file, './certs/me-warcprox-ca.pem');
  assert.deepEqual(told, []);
});

test('the one file that is there is taken, with its certificates for hosts, and told of', async () => {
  files('other-warcprox-ca.pem');
  assert.deepEqual(await places(), { file: './certs/other-warcprox-ca.pem', leaves: './certs/other-warcprox-ca' });
  assert.deepEqual(told, ['info the CA file that was made under another machine name is used']);
});

test('of several of other machines the newest is taken, with a warning that names the option', async () => {
  files('b-warcprox-ca.pem', 'a-warcprox-ca.pem');
  assert.deepEqual((await places()).file, './certs/b-warcprox-ca.pem');
  assert.deepEqual(told, ['warn several CA files and none of this machine: the newest is used, --cacert names another']);
});
