/**
 * A file of variables, `.env` of the current folder: `KEY=value`, `export KEY="value"`, `# comment`.
 */
import { readFile } from 'node:fs/promises';
import { codeOf, reasonOf } from '../util/thrown.ts';
import { UsageError } from './exit.ts';

const LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/;
const QUOTED = /^(?:'([^']*)'|"((?:[^"\\]|\\.)*)")\s*(?:#.*)?$/;

/** @returns nothing where there is no such file. @throws UsageError when it cannot be read */
export async function readDotEnv(path: string): Promise<Readonly<Record<string, string>>> {
  try {
    return parseDotEnv(await readFile(path, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return {};
    throw new UsageError(`${path}: expected a file that can be read (${reasonOf(error)})`, { cause: error });
  }
}

/** Lines that are none are passed over, as shells and other readers of such files do. */
export function parseDotEnv(content: string): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const line of content.split(/\r?\n/)) {
    const [, name, value = ''] = LINE.exec(line) ?? [];
    if (name === undefined) continue;
    const [, single, double] = QUOTED.exec(value.trim()) ?? [];
    variables[name] =
      single ??
      double?.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter)) ??
      value.replace(/(^|\s)#.*$/, '').trim();
  }
  return variables;
}
