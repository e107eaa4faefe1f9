/**
 * The system's own store: of Linux by what its distribution has for it, of macOS and of Windows.
 *
 * Source: update-ca-certificates(8), update-ca-trust(8), security(1), certutil of Windows.
 */
import { join } from 'node:path';
import { asRoot, nameOf, type Certificate, type Command, type Machine, type TrustStore } from './store.ts';

interface LinuxStore {
  readonly of: string;
  /** where authorities of the machine's owner go */
  readonly folder: string;
  readonly suffix: string;
  readonly program: string;
  /** @param root of an image; undefined for this machine */
  readonly added: (root: string | undefined) => Command;
  readonly removed: (root: string | undefined) => Command;
}

const sysroot = (root: string | undefined): Command => (root === undefined ? [] : ['--sysroot', root]);

const trustExtract = (root: string | undefined): Command => [
  'update-ca-trust',
  'extract',
  ...(root === undefined ? [] : ['-o', join(root, 'etc/pki/ca-trust/extracted')]),
];

const LINUX: readonly LinuxStore[] = [
  {
    of: 'Debian',
    folder: 'usr/local/share/ca-certificates',
    suffix: '.crt',
    program: 'update-ca-certificates',
    added: (root) => ['update-ca-certificates', ...sysroot(root)],
    // Without it the link to what is not there any more would stay.
    removed: (root) => ['update-ca-certificates', '--fresh', ...sysroot(root)],
  },
  {
    of: 'Fedora',
    folder: 'etc/pki/ca-trust/source/anchors',
    suffix: '.pem',
    program: 'update-ca-trust',
    added: trustExtract,
    removed: trustExtract,
  },
  {
    of: 'Arch',
    folder: 'etc/ca-certificates/trust-source/anchors',
    suffix: '.pem',
    program: 'update-ca-trust',
    added: () => ['update-ca-trust'],
    removed: () => ['update-ca-trust'],
  },
  {
    of: 'openSUSE',
    folder: 'etc/pki/trust/anchors',
    suffix: '.pem',
    program: 'update-ca-certificates',
    added: () => ['update-ca-certificates'],
    removed: () => ['update-ca-certificates'],
  },
];

/**
 * Debian's hook for Java: it is told of what is added, and has it trusted as well; but not of what a fresh start leaves out, and would keep
 * that for ever.
 *
 * Source: ca-certificates-java, `update.d/jks-keystore`.
 */
const JAVA_HOOK = '/etc/ca-certificates/update.d/jks-keystore';

const MAC_KEYCHAIN = '/Library/Keychains/System.keychain';

export async function systemStore(certificate: Certificate, machine: Machine): Promise<TrustStore | undefined> {
  if (machine.platform === 'darwin') return macStore(certificate, machine);
  if (machine.platform === 'win32') return windowsStore(certificate, machine);
  for (const store of LINUX) {
    const there = await machine.exists(join(machine.root, store.folder));
    if (!there || (await machine.which(store.program)) === undefined) continue;
    const mayWrite = await machine.isWritable(join(machine.root, store.folder));
    const hasJavaHook = store.of === 'Debian' && machine.root === '/' && (await machine.exists(JAVA_HOOK));
    return linuxStore(store, certificate, machine, { mayWrite, hasJavaHook });
  }
  return undefined;
}

function linuxStore(
  { of, folder, suffix, added, removed }: LinuxStore,
  certificate: Certificate,
  machine: Machine,
  { mayWrite, hasJavaHook }: { readonly mayWrite: boolean; readonly hasJavaHook: boolean },
): TrustStore {
  const file = join(machine.root, folder, nameOf(certificate) + suffix);
  const root = machine.root === '/' ? undefined : machine.root;
  const run = (command: Command) => (mayWrite ? command : asRoot(machine, command));
  const outOfJava = ['sh', '-c', `echo -/etc/ssl/certs/${nameOf(certificate)}.pem | ${JAVA_HOOK}`];
  return {
    name: `system store (${of})`,
    kind: 'system',
    add: (pem) => [run(['install', '-m', '644', pem, file]), run(added(root))],
    remove: () => [run(['rm', '-f', file]), run(removed(root)), ...(hasJavaHook ? [run(outOfJava)] : [])],
    has: () => machine.exists(file),
  };
}

function macStore({ sha1 }: Certificate, machine: Machine): TrustStore {
  const run = (command: Command) => asRoot(machine, command);
  return {
    name: 'system keychain (macOS)',
    kind: 'system',
    add: (pem) => [run(['security', 'add-trusted-cert', '-d', '-r', 'trustRoot', '-k', MAC_KEYCHAIN, pem])],
    // With its settings of trust.
    remove: () => [run(['security', 'delete-certificate', '-Z', sha1, '-t', MAC_KEYCHAIN])],
    has: async () => (await machine.ask(['security', 'find-certificate', '-a', '-Z', MAC_KEYCHAIN])).stdout.includes(sha1),
  };
}

/** That of the user, which needs no administrator; Windows asks for itself whether it shall. */
function windowsStore({ sha1 }: Certificate, machine: Machine): TrustStore {
  const tool = `${machine.env.SYSTEMROOT ?? 'C:\\Windows'}\\System32\\certutil.exe`;
  return {
    name: 'root store of the user (Windows)',
    kind: 'system',
    add: (pem) => [[tool, '-user', '-addstore', 'Root', pem]],
    remove: () => [[tool, '-user', '-delstore', 'Root', sha1]],
    has: async () => (await machine.ask([tool, '-user', '-store', 'Root', sha1])).ok,
  };
}
