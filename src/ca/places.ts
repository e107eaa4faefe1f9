/**
 * Which file the authority is in when nobody has named one: its name holds that of the machine, and machines get new names.
 *
 * The authority that is there is taken, whatever machine made it: clients trust that one, and a new one beside it would be trusted by nobody.
 * Source: spec/warcprox.md §1 (`--cacert`).
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../util/log.ts';

const FOLDER = './certs';
const SUFFIX = '-warcprox-ca.pem';

/** `--cacert` and `--certs-dir`, as given. */
export interface GivenPlaces {
  readonly file: string | undefined;
  readonly leaves?: string | undefined;
}

/** Both as they are used: what was given, else what is there. */
export async function caPlaces({ file, leaves }: GivenPlaces, hostname: string, log: Log): Promise<{ file: string; leaves: string }> {
  const name = file === undefined ? await nameThere(hostname, log) : `${hostname}${SUFFIX}`;
  return { file: file ?? `${FOLDER}/${name}`, leaves: leaves ?? `${FOLDER}/${name.replace(/\.pem$/, '')}` };
}

/** Of this machine if there is one or nothing else, or what is there; of several the newest, with a warning. */
async function nameThere(hostname: string, log: Log): Promise<string> {
  const own = `${hostname}${SUFFIX}`;
  const there = (await readdir(FOLDER).catch((): string[] => [])).filter((name) => name.endsWith(SUFFIX));
  const [name = own, ...others] = there.includes(own) ? [own] : await byAge(there);
  if (others.length > 0) {
    log.warn({ file: name, others }, 'several CA files and none of this machine: the newest is used, --cacert names another');
  } else if (name !== own) log.info({ file: name }, 'the CA file that was made under another machine name is used');
  return name;
}

async function byAge(names: readonly string[]): Promise<readonly string[]> {
  const aged = await Promise.all(
    names.map(async (name) => ({
      name,
      madeAt: await stat(join(FOLDER, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    })),
  );
  return aged.sort((a, b) => b.madeAt - a.madeAt || (a.name < b.name ? -1 : 1)).map(({ name }) => name);
}
