import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { copyFile, link, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { loadOrCreateCa } from '../../../src/ca/authority.ts';
import { exportCa } from '../../../src/cli/commands/ca.ts';
import { silentLog } from '../../../src/util/log.ts';
import { runToEnd } from '../child.ts';

describe('ca export', () => {
  let folder: string;
  let cacert: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'warctap-export-'));
    cacert = join(folder, 'ca.pem');
    await loadOrCreateCa({ file: cacert, hostname: 'machine', log: silentLog });
  });
  after(() => rm(folder, { recursive: true }));

  const certificate = async () => new X509Certificate(await readFile(cacert));

  test('prints the certificate of the authority that is there, never its key', async () => {
    const { code, stdout, stderr } = await runToEnd(['-q', 'ca', 'export'], { env: { WARCTAP_CACERT: cacert } });
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.equal(new X509Certificate(stdout).fingerprint256, (await certificate()).fingerprint256);
    assert.doesNotMatch(stdout, /BEGIN [A-Z ]*KEY/);
  });

  test('takes the CA file before and behind the command, and from the config file', async () => {
    const config = join(folder, 'c.yaml');
    await writeFile(config, `cacert: ${cacert}\n`);
    const calls = [
      ['--cacert', cacert, 'ca', 'export'],
      ['ca', 'export', '--config', config],
      ['--cacert', '/nowhere/at/all', 'ca', 'export', '-c', cacert],
    ];
    for (const args of calls) {
      const { stdout } = await runToEnd(args);
      assert.equal(new X509Certificate(stdout).fingerprint256, (await certificate()).fingerprint256, args.join(' '));
    }
  });

  test('writes PKCS#12 and PEM to a file', async () => {
    const p12 = join(folder, 'ca.p12');
    const pem = join(folder, 'cert.pem');
    const ended = [
      await runToEnd(['ca', 'export', '--cacert', cacert, '--p12', '--password', 'x', '--out', p12]),
      await runToEnd(['ca', 'export', '--cacert', cacert, '--out', pem]),
    ];
    for (const { code, stdout } of ended) assert.deepEqual({ code, stdout }, { code: 0, stdout: '' });
    assert.ok((await readFile(p12)).includes((await certificate()).raw));
    assert.doesNotMatch(await readFile(pem, 'utf8'), /BEGIN [A-Z ]*KEY/);
  });

  test('does not write over the file that holds the key, whatever it is called', async () => {
    const before = await readFile(cacert, 'utf8');
    const alias = join(folder, 'alias.pem');
    await link(cacert, alias);
    for (const out of [cacert, alias]) {
      const { code, stderr } = await runToEnd(['ca', 'export', '--cacert', cacert, '--out', out]);
      assert.equal(code, 2);
      assert.match(stderr, /^warctap: --out: expected another file than the one that holds the key, got "[^"]*"\n$/);
    }
    assert.equal(await readFile(cacert, 'utf8'), before);
  });

  test('ends with 1 and one line when the authority is broken or the file cannot be written', async () => {
    const broken = join(folder, 'broken.pem');
    await writeFile(broken, 'nothing');
    for (const args of [
      ['--cacert', broken],
      ['--cacert', cacert, '--out', join(folder, 'no', 'such', 'folder')],
    ]) {
      const { code, stdout, stderr } = await runToEnd(['ca', 'export', ...args]);
      assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
      assert.match(stderr, /^warctap: [^\n]+\n$/);
    }
  });

  test('never makes an authority: it says where it looked, and how one is made', async () => {
    const empty = await mkdtemp(join(folder, 'empty-'));
    const how = 'the proxy makes it at its first start; start it, run this in its folder, or name its file with --cacert';
    const missing = join(empty, 'mistyped.pem');
    const byDefault = join(empty, 'certs', `${hostname()}-warcprox-ca.pem`);
    for (const [args, file] of [
      [['--cacert', missing], missing],
      [[], byDefault],
    ] as const) {
      const stderr = `warctap: CA file ${file}: there is none; ${how}\n`;
      assert.deepEqual(await runToEnd(['ca', 'export', ...args], { cwd: empty }), { code: 1, stdout: '', stderr });
    }
    assert.deepEqual(await readdir(empty), []);
  });

  test('takes the authority that is there when it was made under another machine name', async () => {
    const moved = await mkdtemp(join(folder, 'moved-'));
    await mkdir(join(moved, 'certs'));
    await copyFile(cacert, join(moved, 'certs/old-name-warcprox-ca.pem'));
    const { code, stdout, stderr } = await runToEnd(['ca', 'export'], { cwd: moved });
    assert.equal(code, 0, stderr);
    assert.equal(new X509Certificate(stdout).fingerprint256, (await certificate()).fingerprint256);
    assert.match(stderr, /the CA file that was made under another machine name is used/);
  });

  test('does not send PKCS#12 to a terminal', async () => {
    const output = Object.assign(new PassThrough(), { isTTY: true });
    await assert.rejects(exportCa({ cacert, p12: true, log: silentLog, output }), /--out FILE/);
    assert.equal(output.read(), null);
  });
});
