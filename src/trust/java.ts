/**
 * The key store of a Java: that of JAVA_HOME, else of the `keytool` on PATH.
 *
 * Source: keytool(1); its password is `changeit` unless somebody has changed it (then the command says so).
 */
import { dirname, join } from 'node:path';
import { asRoot, nameOf, type Certificate, type Machine, type TrustStore } from './store.ts';

const PASSWORD = 'changeit';

export async function javaStore(certificate: Certificate, machine: Machine): Promise<TrustStore | undefined> {
  const { JAVA_HOME } = machine.env;
  const program = machine.platform === 'win32' ? 'keytool.exe' : 'keytool';
  const ofHome = JAVA_HOME === undefined || JAVA_HOME === '' ? undefined : join(JAVA_HOME, 'bin', program);
  const tool = ofHome !== undefined && (await machine.exists(ofHome)) ? ofHome : await machine.which(program);
  if (tool === undefined) return undefined;
  const home = tool === ofHome && JAVA_HOME !== undefined ? JAVA_HOME : dirname(dirname(await machine.realPath(tool)));
  const file = join(home, 'lib/security/cacerts');
  if (!(await machine.exists(file))) return undefined;
  // Java takes aliases in lower case.
  const alias = nameOf(certificate).toLowerCase();
  const store = ['-keystore', file, '-storepass', PASSWORD, '-alias', alias];
  const mayWrite = await machine.isWritable(file);
  const run = (command: readonly string[]) => (mayWrite ? command : asRoot(machine, command));
  return {
    name: `Java, ${file}`,
    kind: 'java',
    add: (pem) => [run([tool, '-importcert', '-noprompt', ...store, '-file', pem])],
    remove: () => [run([tool, '-delete', '-noprompt', ...store])],
    has: async () => (await machine.ask([tool, '-list', ...store])).ok,
  };
}
