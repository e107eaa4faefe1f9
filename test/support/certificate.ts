/**
 * One certificate authority for all proxies of a test file, because an RSA key takes a while to find; origins use it as their certificate, which nobody verifies.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrCreateCa } from '../../src/ca/authority.ts';
import { silentLog } from '../../src/util/log.ts';

let made: Promise<string> | undefined;

/** PEM file with key and certificate. */
export function testCaFile(): Promise<string> {
  made ??= make();
  return made;
}

export async function testCertificate(): Promise<{ key: string; cert: string }> {
  const pem = await readFile(await testCaFile(), 'utf8');
  return { key: pem, cert: pem };
}

async function make(): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'warctap-test-ca-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'ca.pem');
  await loadOrCreateCa({ file, hostname: 'test', log: silentLog });
  return file;
}
