/**
 * The settings of the transformation service from where users put them: flag, environment, `.env` of the current folder.
 *
 * Source: spec/circe.md §9.
 */
import { join } from 'node:path';
import { resolve, readOption } from '../options/resolve.ts';
import { flagOf, namesIn, type Options } from '../options/row.ts';
import { circeVariableOf, DEFAULT_CRYPT_KEY, TRANSFORM_ROWS, type TransformSettings } from '../options/rows/transform.ts';
import { readDotEnv } from './dot-env.ts';
import type { Environment } from './gather.ts';

export interface TransformSetup {
  readonly settings: TransformSettings;
  /** flags and variables that were given, with where each was */
  readonly places: ReadonlyMap<string, string>;
  /** with what `.env` adds, for the processes of jobs: less what they need not know */
  readonly env: NodeJS.ProcessEnv;
}

/** What is refused in the words of the reference, as it stands, with exit code 1. */
export class TransformRefusal extends Error {
  override readonly name = 'TransformRefusal';
}

const NOT_FOR_JOBS = ['CIRCE_WEB_UI_CRYPT_KEY', 'CIRCE_SECRET'];

/** @throws OptionError, UsageError or TransformRefusal */
export async function transformSetup(
  flags: Options<typeof TRANSFORM_ROWS>,
  cwd = process.cwd(),
  environment: Environment = process.env,
): Promise<TransformSetup> {
  const env = { ...(await readDotEnv(join(cwd, '.env'))), ...environment };
  const given: Record<string, unknown> = {};
  const places = new Map<string, string>();
  for (const name of namesIn(TRANSFORM_ROWS)) {
    const flag = flags[name];
    const variable = circeVariableOf(name);
    const text = env[variable];
    if (flag !== undefined) places.set(name, `--${flagOf(name)}`);
    else if (text !== undefined && text !== '') places.set(name, variable);
    else continue;
    given[name] = flag ?? readOption(TRANSFORM_ROWS, name, text, variable);
  }
  const settings = resolve(TRANSFORM_ROWS, given as Options<typeof TRANSFORM_ROWS>);
  if (settings.enableWebUi && settings.webUiCryptKey === DEFAULT_CRYPT_KEY)
    throw new TransformRefusal('Running Web UI with the default crypt key is insecure. Please change CIRCE_WEB_UI_CRYPT_KEY.');
  const forJobs = Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_FOR_JOBS.includes(name)));
  return { settings, places, env: forJobs };
}
