/**
 * `warctap ca export`: the certificate of the authority for those who shall trust it. Makes the authority if there is none yet.
 *
 * Never shows the key, and never writes over the authority's own file.
 */
import { stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { OptionError } from '../../options/error.ts';
import { onOff, path, text } from '../../options/kinds.ts';
import { resolve } from '../../options/resolve.ts';
import { group, type Options } from '../../options/row.ts';
import { PROXY_OPTIONS } from '../../options/table.ts';
import type { Log } from '../../util/log.ts';
import { defineCommand, type CommandFamily } from '../command.ts';
import { EXIT, UsageError } from '../exit.ts';

const EXPORT_ROWS = group('Options', {
  p12: { kind: onOff, default: false, summary: 'as PKCS#12 instead of PEM' },
  password: {
    argument: 'TEXT',
    kind: text('text', () => true),
    default: '',
    defaultText: 'empty',
    secret: true,
    summary: 'asked for when the PKCS#12 is imported',
  },
  out: { argument: 'FILE', kind: path, defaultText: 'none', summary: 'into a file instead of standard output' },
});

const caExport = defineCommand({
  name: 'export',
  summary: 'Print the certificate to be trusted by clients, without its key.',
  own: EXPORT_ROWS,
  settings: PROXY_OPTIONS,
  shown: ['cacert', 'config', 'quiet', 'verbose', 'trace'],
  exits: { ok: 'printed or written', failed: 'the authority is broken, or the file cannot be written', usage: EXIT.usage.meaning },

  async run({ own, settings }) {
    const gathered = await settings();
    const { openLog } = await import('../log.ts');
    const { cacert } = resolve(PROXY_OPTIONS, gathered.given);
    await exportCa({ ...own, cacert, log: openLog(gathered).log, output: process.stdout });
    return EXIT.ok.code;
  },
});

export const ca: CommandFamily = {
  name: 'ca',
  summary: 'The certificate authority: "ca export" prints its certificate.',
  commands: [caExport],
};

export interface CaExport extends Options<typeof EXPORT_ROWS> {
  readonly cacert: string;
  readonly log: Log;
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** @throws UsageError or OptionError; CaError or the file system's error, whose messages are one line */
export async function exportCa({ cacert, p12 = false, password = '', out, log, output }: CaExport): Promise<void> {
  if (p12 && out === undefined && output.isTTY === true) throw new UsageError('--p12 is not for a terminal: name a file with --out FILE');
  const [{ loadOrCreateCa }, { exportCaPkcs12 }] = await Promise.all([import('../../ca/authority.ts'), import('../../ca/export.ts')]);
  const authority = await loadOrCreateCa({ file: cacert, hostname: hostname(), log });
  const content = p12 ? exportCaPkcs12(authority, { password }) : authority.certificatePem;
  if (out === undefined) {
    await new Promise<void>((done) => output.write(content, () => done()));
    return;
  }
  const [own, target] = [await stat(cacert), await stat(out).catch(() => undefined)];
  if (target?.ino === own.ino && target.dev === own.dev) {
    throw new OptionError('out', out, 'another file than the one that holds the key', { place: '--out' });
  }
  await writeFile(out, content);
  log.info({ file: out }, 'wrote the certificate');
}
