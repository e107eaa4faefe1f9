/**
 * `warctap trust` and `warctap untrust`: the proxy's authority into the stores of this machine, and out of them again.
 */
import { hostname } from 'node:os';
import { listOf, onOff, oneOf, path } from '../../options/kinds.ts';
import { group } from '../../options/row.ts';
import { PROXY_OPTIONS } from '../../options/table.ts';
import { STORE_KINDS, type StoreKind } from '../../trust/store.ts';
import { defineCommand, type CommandSpec } from '../command.ts';
import { EXIT } from '../exit.ts';

const ROWS = group('Options', {
  in: {
    argument: 'WHICH',
    kind: listOf(oneOf(...STORE_KINDS)),
    defaultText: 'all that are there',
    summary: 'system, nss (Firefox; on Linux Chromium, Chrome and Edge) or java; may be repeated',
  },
  yes: { short: 'y', kind: onOff, default: false, summary: 'do it without asking' },
  dryRun: { kind: onOff, default: false, summary: 'only say what would be done' },
  root: { argument: 'DIR', kind: path, default: '/', summary: 'root folder of the system store, such as that of an image' },
});

const EXITS = {
  ok: 'done, or there was nothing to do',
  failed: 'a store could not be changed, or it was not agreed to, or there is no authority',
  usage: EXIT.usage.meaning,
};

function commandOf(what: 'trust' | 'untrust', summary: string, notes: string): CommandSpec {
  return defineCommand({
    name: what,
    summary,
    own: ROWS,
    settings: PROXY_OPTIONS,
    shown: ['cacert', 'config', 'quiet', 'verbose', 'trace'],
    notes,
    exits: EXITS,

    async run({ own, settings }) {
      const gathered = await settings();
      const [{ openLog }, { loadCa }, { caPlaces }, { certificateOf, storesOf }, { runCommand, thisMachine }, { changeTrust }] =
        await Promise.all([
          import('../log.ts'),
          import('../../ca/authority.ts'),
          import('../../ca/places.ts'),
          import('../../trust/stores.ts'),
          import('../../trust/this-machine.ts'),
          import('../trust-stores.ts'),
        ]);
      const { log } = openLog(gathered);
      const { file } = await caPlaces({ file: gathered.given.cacert }, hostname(), log);
      const { certificatePem, certificate: x509 } = await loadCa({ file, log });
      const certificate = certificateOf(certificatePem);
      const kinds = (own.in as readonly StoreKind[] | undefined) ?? STORE_KINDS;
      const found = await storesOf(certificate, thisMachine(own.root === undefined ? {} : { root: own.root }), kinds);
      const { yes = false, dryRun = false } = own;
      const name = /CN=([^\n]*)/.exec(x509.subject)?.[1] ?? file;
      return changeTrust({ what, certificate, name, found, yes, dryRun, run: runCommand, input: process.stdin, output: process.stdout });
    },
  });
}

export const trust = commandOf(
  'trust',
  'Have this machine trust the authority of the proxy: system, browsers, Java.',
  `Says which commands it will run, and asks. Where another user's rights are needed
they are run by sudo. "warctap untrust" takes away exactly what it has put there.`,
);

export const untrust = commandOf(
  'untrust',
  'Take the authority of the proxy out of the stores that "warctap trust" has put it into.',
  'Says which commands it will run, and asks. Certificates of others are not touched.',
);
