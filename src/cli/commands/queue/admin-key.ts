/** The administrator's key: from the environment or a file, never from a flag, where other users of the machine could read it. */
import { readFile } from 'node:fs/promises';
import { reasonOf } from '../../../util/thrown.ts';
import { UsageError } from '../../exit.ts';

export interface AdminKeyOptions {
  readonly adminKey?: string | undefined;
  readonly adminKeyFile?: string | undefined;
}

/** @throws UsageError */
export async function adminKeyOf({ adminKey, adminKeyFile }: AdminKeyOptions): Promise<string> {
  if (adminKey !== undefined) return adminKey;
  if (adminKeyFile === undefined) {
    throw new UsageError(
      'no key of the administrator: set the variable HEROSHI_ADMIN_KEY, or name a file that holds it with --admin-key-file',
    );
  }
  let text: string;
  try {
    text = await readFile(adminKeyFile, 'utf8');
  } catch (error) {
    throw new UsageError(`--admin-key-file: expected a file that can be read, got ${JSON.stringify(adminKeyFile)} (${reasonOf(error)})`, {
      cause: error,
    });
  }
  const [key = ''] = text.split(/\r?\n/);
  const { faultOfKey } = await import('../../../queue/access.ts');
  const fault = faultOfKey(key);
  if (fault !== undefined) throw new UsageError(`--admin-key-file: the first line of ${JSON.stringify(adminKeyFile)} is no key: ${fault}`);
  return key;
}
