/**
 * What `warctap trust` and `untrust` do: say what will be done, ask, do it store by store, and look whether it is so.
 *
 * A store whose commands fail half-way is put back; the others go on.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Certificate, Command, TrustStore } from '../trust/store.ts';
import type { FoundStores } from '../trust/stores.ts';
import { EXIT, UsageError } from './exit.ts';
import { shellWord } from './shell-word.ts';

export interface TrustWork {
  readonly what: 'trust' | 'untrust';
  readonly certificate: Certificate;
  /** of the authority, for people */
  readonly name: string;
  readonly found: FoundStores;
  readonly yes: boolean;
  readonly dryRun: boolean;
  /** @returns why it has failed; undefined when it has not */
  readonly run: (command: Command) => Promise<string | undefined>;
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream;
}

const FILE = 'warctap-ca.pem';

/** @returns the exit code. @throws UsageError where nobody can be asked */
export async function changeTrust(work: TrustWork): Promise<number> {
  const { what, name, certificate, found, dryRun, output } = work;
  const say = (line: string) => void output.write(`${line}\n`);
  const adds = what === 'trust';
  const wanted: TrustStore[] = [];
  const done: TrustStore[] = [];
  for (const store of found.stores) ((await store.has()) === adds ? done : wanted).push(store);
  say(`authority  ${name}, SHA-256 ${certificate.sha256}`);
  for (const store of done) say(`${adds ? 'already trusted by' : 'not trusted by'}  ${store.name}`);
  for (const line of found.missing) say(`passed over  ${line}`);
  if (wanted.length === 0) {
    say('nothing to do');
    return EXIT.ok.code;
  }
  const folder = dryRun || !adds ? undefined : await mkdtemp(join(tmpdir(), 'warctap-trust-'));
  const pem = folder === undefined ? FILE : join(folder, FILE);
  try {
    if (folder !== undefined) await writeFile(pem, certificate.pem);
    const commandsOf = (store: TrustStore) => (adds ? store.add(pem) : store.remove());
    for (const store of wanted) {
      say(`${adds ? 'will be put into' : 'will be taken out of'}  ${store.name}`);
      for (const command of commandsOf(store)) say(`  ${command.map(shellWord).join(' ')}`);
    }
    if (adds) say('whoever has the key of this authority can pretend to be any web site to what trusts it');
    if (dryRun) return EXIT.ok.code;
    if (!work.yes && !(await agreed(work))) {
      say('nothing was done');
      return EXIT.failed.code;
    }
    let failed = false;
    for (const store of wanted) {
      const reason = await change(store, commandsOf(store), work);
      say(
        `${reason === undefined ? (adds ? 'trusted by' : 'no longer trusted by') : 'failed'}  ${store.name}${reason === undefined ? '' : `: ${reason}`}`,
      );
      failed ||= reason !== undefined;
    }
    return failed ? EXIT.failed.code : EXIT.ok.code;
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** @returns why it has failed */
async function change(store: TrustStore, commands: readonly Command[], { what, run }: TrustWork): Promise<string | undefined> {
  for (const command of commands) {
    const reason = await run(command);
    if (reason === undefined) continue;
    if (what === 'trust' && (await store.has())) for (const undo of store.remove()) await run(undo);
    return reason;
  }
  return (await store.has()) === (what === 'trust') ? undefined : 'its commands have ended well, and it is not so';
}

async function agreed({ what, input, output }: TrustWork): Promise<boolean> {
  if (input.isTTY !== true) throw new UsageError(`${what}: there is nobody to ask here, --yes does it without`);
  const asking = createInterface({ input, output });
  try {
    return /^y(?:es)?$/i.test((await asking.question('Go on? [y/N] ')).trim());
  } finally {
    asking.close();
  }
}
