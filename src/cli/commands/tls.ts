/**
 * `warctap tls`: the certificates that origins have shown, as WARC files keep them.
 */
import { onOff } from '../../options/kinds.ts';
import { group } from '../../options/row.ts';
import { reasonOf } from '../../util/thrown.ts';
import type { TlsEvidence } from '../../warc/tools/tls.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit.ts';
import { warcFiles } from '../warc-operands.ts';

export const tls = defineCommand({
  name: 'tls',
  summary: 'Show the TLS evidence in WARC files: hosts, certificates, protocol, cipher, and whether they were to be trusted.',
  operands: { name: '[FILE|DIR...]', summary: 'WARC files, or folders of them, plain or gzip, open ones too' },
  own: group('Options', { json: { kind: onOff, default: false, summary: 'a line of JSON for each chain' } }),
  notes: `Prints a line for each origin and chain of a file, and one for each certificate,
the origin's own first. The verdict is that of the proxy at the time of the
capture: by Node's root store, by date and by name. A file without any says so.`,
  exits: { ok: 'all files were read', failed: 'a file could not be read to its end', usage: 'bad option or argument' },

  async run({ operands, own: { json = false } }) {
    const files = await warcFiles('tls', operands);
    const { tlsEvidenceIn } = await import('../../warc/tools/tls.ts');
    let allRead = true;
    for (const file of files) {
      let found = 0;
      try {
        for await (const evidence of tlsEvidenceIn(file)) {
          found++;
          process.stdout.write(json ? `${JSON.stringify(evidence)}\n` : shown(evidence));
        }
        if (found === 0 && !json) process.stdout.write(`${file}: no TLS evidence\n`);
      } catch (error) {
        allRead = false;
        process.stderr.write(`${file}: not read to its end: ${reasonOf(error)}\n`);
      }
    }
    return allRead ? EXIT.ok.code : EXIT.failed.code;
  },
});

function shown({ origin, date, protocols, cipherSuite, verified, error, serverName, chain }: TlsEvidence): string {
  const verdict = verified === undefined ? 'not judged' : verified ? 'verified' : `not verified: ${error ?? 'no reason given'}`;
  const asked = serverName === undefined ? [] : [`asked for as ${serverName}`];
  const first = [origin, date, [...protocols, cipherSuite].join(' ').trim(), ...asked, verdict].filter((part) => part !== '');
  const lines = chain.map(({ subject, issuer, validFrom, validTo, names }) => {
    const named = names.length === 0 ? '' : ` (${names.join(', ')})`;
    return `  ${subject}${named}, by ${issuer}, valid from ${validFrom.slice(0, 10)} to ${validTo.slice(0, 10)}`;
  });
  return [first.join('  '), ...lines].map((line) => `${printable(line)}\n`).join('');
}

/** Whatever stands in a certificate or a file, a terminal is not told what to do. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, '?');
}
