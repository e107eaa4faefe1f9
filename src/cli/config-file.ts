/**
 * The file of `--config`: YAML or JSON, one mapping from long flags to values.
 *
 * All values are taken as the texts that stand in the file (`1.0` stays `1.0`) and are read like values of flags.
 * Its messages show no content of the file, which may hold secrets: keys, lines and columns only.
 */
import { readFile } from 'node:fs/promises';
import { nearest } from '../options/nearest.ts';
import { insteadOf } from '../options/of-warcprox.ts';
import { flagOf, namesIn, type OptionRows } from '../options/row.ts';
import { UsageError } from './exit.ts';
import { reasonOf } from '../util/thrown.ts';

/**
 * @param rows the options that it may hold, but for `config` itself
 * @returns values as given, by names in code
 * @throws UsageError
 */
export async function readConfigFile(path: string, rows: OptionRows): Promise<ReadonlyMap<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--config: expected a file that can be read, got ${JSON.stringify(path)} (${reasonOf(error)})`, { cause: error });
  }
  return new Map(Object.entries(await mappingIn(text, path)).map(([key, value]) => [optionFor(key, path, rows), value]));
}

async function mappingIn(text: string, path: string): Promise<object> {
  const { LineCounter, parseDocument } = await import('yaml');
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { schema: 'failsafe', lineCounter, prettyErrors: false, logLevel: 'silent' });
  const [fault] = document.errors;
  if (fault !== undefined) {
    const { line, col } = lineCounter.linePos(fault.pos[0]);
    throw invalid(path, `line ${line}, column ${col}: ${fault.code.toLowerCase().replaceAll('_', ' ')}`);
  }
  if (document.contents === null) return {};
  let content: unknown;
  try {
    content = document.toJS();
  } catch (error) {
    throw invalid(path, 'it refers to an alias that is not there', error);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) throw invalid(path, 'it holds no "name: value" lines');
  return content;
}

function invalid(path: string, why: string, cause?: unknown): UsageError {
  return new UsageError(`--config: expected a YAML or JSON file of options, got ${JSON.stringify(path)} (${why})`, { cause });
}

function optionFor(key: string, path: string, rows: OptionRows): string {
  const names = namesIn(rows).filter((name) => name !== 'config');
  const name = names.find((candidate) => flagOf(candidate) === key);
  if (name !== undefined) return name;
  const instead = insteadOf(key);
  if (instead !== undefined) throw new UsageError(`${path}: ${key} is ${instead}`);
  throw new UsageError(`${path}: unknown option ${JSON.stringify(key)}, the nearest known one is ${nearest(key, names.map(flagOf))}`);
}
