/** Which stores a machine has, and what would be run: of systems that the tests do not run on. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { certificateOf, storesOf } from '../../src/trust/stores.ts';
import { STORE_KINDS, type Machine } from '../../src/trust/store.ts';
import { testCaFile } from '../support/certificate.ts';

interface Fake {
  readonly platform?: string;
  readonly env?: Record<string, string>;
  readonly isRoot?: boolean;
  readonly there?: readonly string[];
  readonly programs?: readonly string[];
  readonly said?: string;
}

function machine({ platform = 'linux', env = {}, isRoot = false, there = [], programs = [], said }: Fake): Machine {
  const names = (folder: string) => [
    ...new Set(there.filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(folder.length + 1).split('/')[0]!)),
  ];
  return {
    platform,
    env,
    home: '/home/me',
    isRoot,
    root: '/',
    exists: (path) => Promise.resolve(there.some((each) => each === path || each.startsWith(`${path}/`))),
    list: (folder) => Promise.resolve(names(folder)),
    which: (program) => Promise.resolve(programs.includes(program) ? `/usr/bin/${program}` : undefined),
    realPath: (path) => Promise.resolve(path === '/usr/bin/keytool' ? '/opt/java/bin/keytool' : path),
    isWritable: () => Promise.resolve(isRoot),
    ask: () => Promise.resolve({ ok: said !== undefined, stdout: said ?? '' }),
  };
}

const certificate = certificateOf(
  /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec(readFileSync(await testCaFile(), 'utf8'))![0],
);
const NAME = `warctap-${certificate.sha256.slice(0, 16)}`;

async function told(fake: Fake) {
  const { stores, missing } = await storesOf(certificate, machine(fake), STORE_KINDS);
  const lines = (commands: readonly (readonly string[])[]) => commands.map((words) => words.join(' ').replaceAll(NAME, 'NAME'));
  const each = [];
  for (const store of stores) {
    const has = await store.has();
    each.push({ name: store.name, has, add: lines(store.add('CA.pem')), remove: lines(store.remove()) });
  }
  return { stores: each, missing };
}

test('of each Linux, its folder and its program', async () => {
  const systems = [
    ['Debian', 'usr/local/share/ca-certificates', '.crt', 'update-ca-certificates', '', ' --fresh'],
    ['Fedora', 'etc/pki/ca-trust/source/anchors', '.pem', 'update-ca-trust', ' extract', ' extract'],
    ['Arch', 'etc/ca-certificates/trust-source/anchors', '.pem', 'update-ca-trust', '', ''],
    ['openSUSE', 'etc/pki/trust/anchors', '.pem', 'update-ca-certificates', '', ''],
  ] as const;
  for (const [of, folder, suffix, program, added, removed] of systems) {
    const { stores } = await told({ there: [`/${folder}/other`], programs: [program] });
    const file = `/${folder}/NAME${suffix}`;
    assert.deepEqual(stores, [
      {
        name: `system store (${of})`,
        has: false,
        add: [`sudo install -m 644 CA.pem ${file}`, `sudo ${program}${added}`],
        remove: [`sudo rm -f ${file}`, `sudo ${program}${removed}`],
      },
    ]);
    const { stores: ofRoot } = await told({ there: [`/${folder}/${NAME}${suffix}`], programs: [program], isRoot: true });
    assert.deepEqual([ofRoot[0]?.has, ofRoot[0]?.add[1]], [true, `${program}${added}`]);
  }
});

test('Debian’s hook for Java is told that it goes, as nobody else tells it', async () => {
  const hook = '/etc/ca-certificates/update.d/jks-keystore';
  const { stores } = await told({ there: ['/usr/local/share/ca-certificates/other', hook], programs: ['update-ca-certificates'] });
  assert.deepEqual(stores[0]?.remove.slice(1), [
    'sudo update-ca-certificates --fresh',
    `sudo sh -c echo -/etc/ssl/certs/NAME.pem | ${hook}`,
  ]);
});

test('of macOS the system keychain, and the profiles of Firefox', async () => {
  const profile = '/home/me/Library/Application Support/Firefox/Profiles/x.default';
  const { stores } = await told({
    platform: 'darwin',
    there: [`${profile}/cert9.db`],
    programs: ['certutil'],
    said: `SHA-1 hash: ${certificate.sha1}`,
  });
  const keychain = '/Library/Keychains/System.keychain';
  assert.deepEqual(stores, [
    {
      name: 'system keychain (macOS)',
      has: true,
      add: [`sudo security add-trusted-cert -d -r trustRoot -k ${keychain} CA.pem`],
      remove: [`sudo security delete-certificate -Z ${certificate.sha1} -t ${keychain}`],
    },
    {
      name: 'Firefox, profile x.default',
      has: true,
      add: [`certutil -A -d sql:${profile} -n NAME -t C,, -i CA.pem`],
      remove: [`certutil -D -d sql:${profile} -n NAME`],
    },
  ]);
});

test('of Windows the store of the user, by the certutil of Windows', async () => {
  const { stores, missing } = await told({ platform: 'win32', env: { SYSTEMROOT: 'C:\\W' } });
  assert.deepEqual(stores, [
    {
      name: 'root store of the user (Windows)',
      has: false,
      add: ['C:\\W\\System32\\certutil.exe -user -addstore Root CA.pem'],
      remove: [`C:\\W\\System32\\certutil.exe -user -delstore Root ${certificate.sha1}`],
    },
  ]);
  assert.deepEqual(missing, []);
});

test('a database for Chromium is made where there is one to use it, and not otherwise', async () => {
  const { stores } = await told({ programs: ['certutil', 'google-chrome'] });
  const [chromium] = stores;
  const database = 'sql:/home/me/.pki/nssdb';
  assert.deepEqual(chromium?.add, [
    'mkdir -p -m 700 /home/me/.pki/nssdb',
    `certutil -N --empty-password -d ${database}`,
    'touch /home/me/.pki/nssdb/made-by-warctap',
    `certutil -A -d ${database} -n NAME -t C,, -i CA.pem`,
  ]);
  assert.deepEqual((await told({ programs: ['certutil'] })).stores, []);
});

test('what is there but cannot be reached is said', async () => {
  const { stores, missing } = await told({ there: ['/home/me/.mozilla/firefox/p/cert9.db'] });
  assert.deepEqual(stores, []);
  assert.deepEqual(missing, [
    'the system store: neither update-ca-certificates nor update-ca-trust is here',
    'Firefox, profile p: certutil of NSS is not here (apt install libnss3-tools, brew install nss)',
  ]);
});

test('of Java that of JAVA_HOME, else of keytool on PATH', async () => {
  const add = async (fake: Fake) =>
    (await told(fake)).stores.find(({ name }) => name.startsWith('Java'))?.add[0]?.replace(NAME.toLowerCase(), 'NAME');
  const options = '-storepass changeit -alias NAME -file CA.pem';
  const there = ['/opt/java/lib/security/cacerts', '/jdk/bin/keytool', '/jdk/lib/security/cacerts'];
  const keytool = 'keytool -importcert -noprompt -keystore';
  assert.equal(await add({ there, programs: ['keytool'] }), `sudo /usr/bin/${keytool} /opt/java/lib/security/cacerts ${options}`);
  assert.equal(
    await add({ there, programs: ['keytool'], env: { JAVA_HOME: '/jdk' }, isRoot: true }),
    `/jdk/bin/${keytool} /jdk/lib/security/cacerts ${options}`,
  );
  assert.equal(await add({ there }), undefined);
});
