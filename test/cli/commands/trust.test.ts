/** `warctap trust` and `untrust`, with real stores: of a Debian below a folder, of NSS in a home of their own, of a Java that is a copy. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { loadOrCreateCa } from '../../../src/ca/authority.ts';
import { changeTrust } from '../../../src/cli/trust-stores.ts';
import type { StoreKind } from '../../../src/trust/store.ts';
import { certificateOf, storesOf } from '../../../src/trust/stores.ts';
import { runCommand, thisMachine } from '../../../src/trust/this-machine.ts';
import { silentLog } from '../../../src/util/log.ts';
import { testCaFile } from '../../support/certificate.ts';
import { findTool, tool } from '../../support/tools.ts';
import { runToEnd } from '../child.ts';

const certutil = tool('certutil');
const updater = findTool({
  commands: ['update-ca-certificates', '/usr/sbin/update-ca-certificates'],
  ask: ['--help'],
  says: /\[--verbose\] \[--fresh\]/,
});
// What it runs is on PATH or nowhere.
const install = findTool({ commands: ['install'], ask: ['--version'], says: /^install/ });
const noUpdater = install.skip || updater.skip;
const keytool = findTool({ commands: ['keytool'], ask: ['-help'], says: /importcert/ });
const CACERTS = keytool.skip === false ? join(dirname(dirname(realpathSync(keytool.command))), 'lib/security/cacerts') : '';

interface Place {
  readonly dir: string;
  readonly root: string;
  readonly home: string;
  readonly java: string;
  readonly ca: string;
  readonly trust: (
    what: 'trust' | 'untrust',
    store: StoreKind,
    how?: { readonly yes?: boolean; readonly dryRun?: boolean },
  ) => Promise<{ readonly code: number; readonly stdout: string }>;
}

async function place(t: TestContext): Promise<Place> {
  const dir = mkdtempSync(join(tmpdir(), 'warctap-trust-test-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const [root, home, java, bin] = ['root', 'home', 'java', 'bin'].map((name) => join(dir, name)) as [string, string, string, string];
  for (const folder of ['usr/share/ca-certificates', 'usr/local/share/ca-certificates', 'etc/ssl/certs', 'etc/ca-certificates/update.d'])
    mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'etc/ca-certificates.conf'), '');
  // Two, as a bundle of one would be taken for a certificate by itself.
  for (const name of ['one', 'two']) {
    const { certificatePem } = await loadOrCreateCa({ file: join(dir, `${name}.pem`), hostname: name, log: silentLog });
    writeFileSync(join(root, `usr/local/share/ca-certificates/${name}.crt`), certificatePem);
  }
  mkdirSync(home);
  mkdirSync(bin);
  // Something that looks like a Chromium is what the shared database is made for.
  writeFileSync(join(bin, 'chromium'), '#!/bin/sh\n');
  chmodSync(join(bin, 'chromium'), 0o755);
  const ca = join(dir, 'ca.pem');
  cpSync(await testCaFile(), ca);
  chmodSync(ca, 0o600);
  const certificate = certificateOf(await certificateIn());
  const machine = thisMachine({ root, home, env: { PATH: `${bin}:${process.env.PATH}`, JAVA_HOME: java } });
  const trust: Place['trust'] = async (what, store, { yes = true, dryRun = false } = {}) => {
    let stdout = '';
    const output = new Writable({
      write: (piece: Buffer, _, done) => {
        stdout += String(piece);
        done();
      },
    });
    const found = await storesOf(certificate, machine, [store]);
    const code = await changeTrust({
      what,
      certificate,
      name: 'CA',
      found,
      yes,
      dryRun,
      run: runCommand,
      input: Readable.from([]),
      output,
    });
    return { code, stdout };
  };
  return { dir, root, home, java, ca, trust };
}

/** Every file and link below, with what is in it. */
function contents(folder: string): Record<string, string> {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    all.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length), entry.isFile() ? readFileSync(path, 'latin1') : entry.isSymbolicLink() ? 'link' : 'folder'];
    }),
  );
}

const certificateIn = async () =>
  /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec(readFileSync(await testCaFile(), 'utf8'))![0];

test('Debian: into the bundle of the system, and out of it again without a trace', { skip: noUpdater }, async (t) => {
  const { root, trust } = await place(t);
  assert.equal(spawnSync(updater.command, ['--sysroot', root, '--fresh']).status, 0);
  const before = contents(root);
  const bundle = () => readFileSync(join(root, 'etc/ssl/certs/ca-certificates.crt'), 'utf8');

  const dry = await trust('trust', 'system', { dryRun: true });
  assert.equal(dry.code, 0);
  assert.match(
    dry.stdout,
    /will be put into {2}system store \(Debian\)\n {2}install -m 644 warctap-ca\.pem \S+\/warctap-[0-9A-F]{16}\.crt\n {2}update-ca-certificates /,
  );
  assert.deepEqual(contents(root), before);

  const done = await trust('trust', 'system');
  assert.equal(done.code, 0, done.stdout);
  assert.match(done.stdout, /\ntrusted by {2}system store \(Debian\)\n$/);
  assert.ok(bundle().includes(await certificateIn()));
  assert.ok(!JSON.stringify(contents(root)).includes('PRIVATE KEY'));
  const again = await trust('trust', 'system');
  assert.match(again.stdout, /already trusted by {2}system store \(Debian\)\nnothing to do\n$/);

  const undone = await trust('untrust', 'system');
  assert.equal(undone.code, 0, undone.stdout);
  assert.deepEqual(contents(root), before);
  assert.match((await trust('untrust', 'system')).stdout, /not trusted by {2}system store \(Debian\)\nnothing to do/);
});

test("NSS: into Firefox's profiles and Chromium's database, which is made and goes again", { skip: certutil.skip }, async (t) => {
  const { home, trust } = await place(t);
  const profile = join(home, '.mozilla/firefox/a b.default');
  const list = (folder: string) => spawnSync(certutil.command, ['-L', '-d', `sql:${folder}`], { encoding: 'utf8' }).stdout;
  mkdirSync(profile, { recursive: true });
  assert.equal(spawnSync(certutil.command, ['-N', '--empty-password', '-d', `sql:${profile}`]).status, 0);
  const [names, listed] = [Object.keys(contents(home)), list(profile)];
  const done = await trust('trust', 'nss');
  assert.equal(done.code, 0, done.stdout);
  for (const folder of [profile, join(home, '.pki/nssdb')]) assert.match(list(folder), /^warctap-[0-9A-F]{16} +C,,/m);
  const undone = await trust('untrust', 'nss');
  assert.equal(undone.code, 0, undone.stdout);
  assert.deepEqual([Object.keys(contents(home)), list(profile)], [names, listed]);
});

test('a database for Chromium that others have come to use stays', { skip: certutil.skip }, async (t) => {
  const { dir, home, trust } = await place(t);
  const database = join(home, '.pki/nssdb');
  assert.equal((await trust('trust', 'nss')).code, 0);
  const other = join(dir, 'noise');
  writeFileSync(other, 'noise for a key '.repeat(100));
  const made = spawnSync(certutil.command, [
    '-S',
    '-x',
    '-d',
    `sql:${database}`,
    '-n',
    'mine',
    '-s',
    'CN=mine',
    '-t',
    'C,,',
    '-z',
    other,
    '-m',
    '7',
  ]);
  assert.equal(made.status, 0, String(made.stderr));
  assert.equal((await trust('untrust', 'nss')).code, 0);
  const { stdout } = spawnSync(certutil.command, ['-L', '-d', `sql:${database}`], { encoding: 'utf8' });
  assert.match(stdout, /^mine +/m);
  assert.doesNotMatch(stdout, /warctap-/);
});

test('Java: into its key store and out again', { skip: keytool.skip || (existsSync(CACERTS) ? false : `needs ${CACERTS}`) }, async (t) => {
  const { java, trust } = await place(t);
  mkdirSync(join(java, 'bin'), { recursive: true });
  mkdirSync(join(java, 'lib/security'), { recursive: true });
  symlinkSync(realpathSync(keytool.command), join(java, 'bin/keytool'));
  const file = join(java, 'lib/security/cacerts');
  copyFileSync(CACERTS, file);
  const list = () => spawnSync(keytool.command, ['-list', '-keystore', file, '-storepass', 'changeit'], { encoding: 'utf8' }).stdout;
  const before = list();
  const done = await trust('trust', 'java');
  assert.equal(done.code, 0, done.stdout);
  assert.match(list(), /^warctap-[0-9a-f]{16}, .*trustedCertEntry/m);
  assert.equal((await trust('untrust', 'java')).code, 0);
  assert.equal(list(), before);
});

test('without leave nothing is done, and a store that fails is told and put back', { skip: noUpdater }, async (t) => {
  const { root, trust } = await place(t);
  const before = contents(root);
  await assert.rejects(trust('trust', 'system', { yes: false }), /trust: there is nobody to ask here, --yes does it without/);
  rmSync(join(root, 'etc/ssl/certs'), { recursive: true });
  const failed = await trust('trust', 'system');
  assert.equal(failed.code, 1);
  assert.match(failed.stdout, /\nfailed {2}system store \(Debian\): update-ca-certificates ended with \d/);
  mkdirSync(join(root, 'etc/ssl/certs'));
  assert.deepEqual(contents(root), before);
});

test('the command does it for the authority of the proxy, and makes none where there is none', { skip: noUpdater }, async (t) => {
  const { root, dir, ca } = await place(t);
  const args = ['--cacert', ca, '--root', root, '--in', 'system', '--yes'];
  const done = await runToEnd(['trust', ...args]);
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /^authority {2}warctap CA on test, SHA-256 [0-9A-F]{64}\n[^]*\ntrusted by {2}system store \(Debian\)\n$/);
  assert.match((await runToEnd(['untrust', ...args])).stdout, /\nno longer trusted by {2}system store \(Debian\)\n$/);
  const nobody = await runToEnd(['trust', '--yes'], { cwd: dir, env: { HOME: dir } });
  assert.deepEqual([nobody.code, nobody.stdout], [1, '']);
  assert.match(nobody.stderr, /there is none; the proxy makes it at its first start/);
});
