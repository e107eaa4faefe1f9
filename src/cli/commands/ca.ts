/**
 * `warctap ca export`: the certificate of the authority for those who shall trust it. Makes the authority if there is none yet.
 *
 * Never shows the key, and never writes over the authority's own file.
 */
import { stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { loadOrCreateCa } from '../ca/authority.ts';
import { exportCaPkcs12 } from '../ca/export.ts';
import { OptionError } from '../options/error.ts';
import type { Log } from '../util/log.ts';
import type { CaExportFlags } from './command.ts';
import { UsageError } from './exit.ts';

export interface CaExport extends CaExportFlags {
  readonly cacert: string;
  readonly log: Log;
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** @throws UsageError or OptionError; CaError or the file system's error, whose messages are one line */
export async function exportCa({ cacert, p12 = false, password = '', out, log, output }: CaExport): Promise<void> {
  if (p12 && out === undefined && output.isTTY === true) throw new UsageError('--p12 is not for a terminal: name a file with --out FILE');
  const ca = await loadOrCreateCa({ file: cacert, hostname: hostname(), log });
  const content = p12 ? exportCaPkcs12(ca, { password }) : ca.certificatePem;
  if (out === undefined) {
    await new Promise<void>((done) => output.write(content, () => done()));
    return;
  }
  const [own, target] = [await stat(cacert), await stat(out).catch(() => undefined)];
  if (target?.ino === own.ino && target.dev === own.dev) {
    throw new OptionError('out', out, 'another file than the one that holds the key', '--out');
  }
  await writeFile(out, content);
  log.info({ file: out }, 'wrote the certificate');
}
