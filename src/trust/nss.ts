/**
 * Databases of NSS: those of Firefox's profiles, and on Linux the one that Chromium and its like share.
 *
 * That one is made where there is none yet, with a file in it that says so, and goes again when nothing else is in it.
 * Source: certutil(1) of NSS; Chromium's docs/linux/cert_management.md; Firefox's profile service (where profiles are).
 */
import { basename, dirname, join } from 'node:path';
import { nameOf, type Certificate, type Command, type Machine, type TrustStore } from './store.ts';

/** Below the user's folder. */
const FIREFOX: Readonly<Record<string, readonly string[]>> = {
  linux: ['.mozilla/firefox', 'snap/firefox/common/.mozilla/firefox', '.var/app/org.mozilla.firefox/.mozilla/firefox', '.librewolf'],
  darwin: ['Library/Application Support/Firefox/Profiles'],
  win32: ['AppData/Roaming/Mozilla/Firefox/Profiles'],
};
const SHARED = '.pki/nssdb';
const SHARED_OF_SNAP = 'snap/chromium/current/.pki/nssdb';
/** In a database that is ours to remove. */
const MADE = 'made-by-warctap';
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge', 'brave-browser'];

/** @returns none where NSS's certutil is not: what it would be needed for is in `missing` */
export async function nssStores(
  certificate: Certificate,
  machine: Machine,
): Promise<{ readonly stores: readonly TrustStore[]; readonly missing: readonly string[] }> {
  const databases = await databasesOf(machine);
  const tool = await nssCertutil(machine);
  if (tool === undefined) return { stores: [], missing: databases.map(({ name }) => name) };
  return { stores: databases.map((database) => nssStore(database, tool, certificate, machine)), missing: [] };
}

interface Database {
  readonly name: string;
  readonly folder: string;
  readonly isThere: boolean;
}

async function databasesOf(machine: Machine): Promise<readonly Database[]> {
  const found: Database[] = [];
  for (const place of FIREFOX[machine.platform] ?? []) {
    const profiles = join(machine.home, place);
    for (const profile of await machine.list(profiles)) {
      const folder = join(profiles, profile);
      if (await machine.exists(join(folder, 'cert9.db'))) found.push({ name: `Firefox, profile ${profile}`, folder, isThere: true });
    }
  }
  if (machine.platform !== 'linux') return found;
  for (const place of [SHARED, SHARED_OF_SNAP]) {
    const folder = join(machine.home, place);
    const isThere = await machine.exists(join(folder, 'cert9.db'));
    const name = place === SHARED ? 'Chromium, Chrome and Edge' : 'Chromium (snap)';
    if (isThere || (place === SHARED && (await hasOneOf(BROWSERS, machine)))) found.push({ name, folder, isThere });
  }
  return found;
}

function nssStore({ name, folder, isThere }: Database, tool: string, certificate: Certificate, machine: Machine): TrustStore {
  const nickname = nameOf(certificate);
  const database = ['-d', `sql:${folder}`];
  const made = join(folder, MADE);
  const create: readonly Command[] = isThere
    ? []
    : [
        ['mkdir', '-p', '-m', '700', folder],
        [tool, '-N', '--empty-password', ...database],
        ['touch', made],
      ];
  const isOurs = { value: false };
  return {
    name,
    kind: 'nss',
    add: (pem) => [...create, [tool, '-A', ...database, '-n', nickname, '-t', 'C,,', '-i', pem]],
    remove: () => [
      [tool, '-D', ...database, '-n', nickname],
      ...(isOurs.value
        ? [
            ['rm', '-f', ...['cert9.db', 'key4.db', 'pkcs11.txt', MADE].map((file) => join(folder, file))],
            ['rmdir', folder],
            ['rmdir', '--ignore-fail-on-non-empty', dirname(folder)],
          ]
        : []),
    ],
    has: async () => {
      if (!(await machine.exists(join(folder, 'cert9.db')))) return false;
      const { ok } = await machine.ask([tool, '-L', ...database, '-n', nickname]);
      isOurs.value = ok && (await machine.exists(made)) && (await holdsOnlyOne(tool, database, machine));
      return ok;
    },
  };
}

/** Lines of certificates end with their flags of trust. */
async function holdsOnlyOne(tool: string, database: readonly string[], machine: Machine): Promise<boolean> {
  const { ok, stdout } = await machine.ask([tool, '-L', ...database]);
  return ok && stdout.split('\n').filter((line) => /\s[a-zA-Z]*,[a-zA-Z]*,[a-zA-Z]*\s*$/.test(line) && !line.includes('SSL,')).length === 1;
}

/** Windows has a program of the same name, which is another. */
async function nssCertutil(machine: Machine): Promise<string | undefined> {
  const found = await machine.which('certutil');
  return found === undefined || /[/\\]system32$/i.test(dirname(found)) || basename(found) === 'certutil.exe' ? undefined : 'certutil';
}

async function hasOneOf(programs: readonly string[], machine: Machine): Promise<boolean> {
  for (const program of programs) if ((await machine.which(program)) !== undefined) return true;
  return false;
}
