/**
 * The secret that Warcprox-Meta counts with, and the file of `--meta-secret-file`: one line.
 */
import type { Log } from '../util/log.ts';
import { AuthFileError, readOwnFile } from './auth-file.ts';

export const META_SECRET = '8 or more printable ASCII characters without spaces';

export function isMetaSecret(text: string): boolean {
  return /^[\x21-\x7e]{8,}$/.test(text);
}

/** @throws AuthFileError */
export async function readMetaSecret(file: string, log: Log): Promise<string> {
  const secret = (await readOwnFile(file, 'the secret of Warcprox-Meta', log)).replace(/\r?\n$/, '');
  if (!isMetaSecret(secret)) throw new AuthFileError(`a file with one line of ${META_SECRET}`);
  return secret;
}
