/**
 * The file of the published manager that the variable HEROSHI_CONFIG_PATH names: keys of workers, for those who come from there.
 *
 * Everything else of it is an option here. Its messages show no content of the file, which holds keys.
 */
import { readFile } from 'node:fs/promises';
import { reasonOf } from '../../../util/thrown.ts';
import { UsageError } from '../../exit.ts';

/** As the published manager takes them: no file. */
const NONE: ReadonlySet<string> = new Set(['', 'dummy', 'stub']);

/** @returns the list `authorized_keys`. @throws UsageError */
export async function authorizedKeys(path = process.env.HEROSHI_CONFIG_PATH ?? ''): Promise<readonly string[]> {
  if (NONE.has(path)) return [];
  const refused = (why: string, cause?: unknown) =>
    new UsageError(`HEROSHI_CONFIG_PATH: expected a YAML file with a list authorized_keys, got ${JSON.stringify(path)} (${why})`, {
      cause,
    });
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw refused(reasonOf(error), error);
  });
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text, { schema: 'failsafe', prettyErrors: false, logLevel: 'silent' });
  if (document.errors.length > 0) throw refused('it is no YAML');
  const { authorized_keys: keys = [] } = (document.toJS() ?? {}) as { readonly authorized_keys?: unknown };
  if (!Array.isArray(keys)) throw refused('authorized_keys is no list');
  const { faultOfKey } = await import('../../../queue/access.ts');
  for (const [index, key] of keys.entries()) {
    const fault = typeof key === 'string' ? faultOfKey(key) : 'a key must be a text';
    if (fault !== undefined) throw refused(`key ${index + 1} of authorized_keys: ${fault}`);
  }
  return keys as string[];
}
