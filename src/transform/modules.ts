/**
 * The transformations that users write: every exported function of the ES modules that CIRCE_TRANSFORMATIONS_MODULE names.
 *
 * Loaded in processes of their own only (job-process.ts, list-process.ts), never in the server.
 * Source: spec/circe.md §6.
 */
import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { reasonOf } from '../util/thrown.ts';
import { ModuleError } from './errors.ts';
import { BUILT_IN, type Transformation } from './transformation.ts';

const EXTENSIONS = ['', '.mjs', '.js', '.cjs'];
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * @param modules names as they were given; what comes later wins
 * @param cwd what they are relative to
 * @throws ModuleError
 */
export async function loadTransformations(modules: readonly string[], cwd: string): Promise<ReadonlyMap<string, Transformation>> {
  const found = new Map(BUILT_IN);
  for (const module of modules) {
    const url = await urlOf(module, cwd);
    let loaded: Readonly<Record<string, unknown>>;
    try {
      loaded = (await import(url)) as Readonly<Record<string, unknown>>;
    } catch (error) {
      const missing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND' && url === module;
      throw new ModuleError(
        missing ? notFound(module) : `the module of transformations ${JSON.stringify(module)} cannot be loaded: ${reasonOf(error)}`,
        { cause: error },
      );
    }
    for (const [name, value] of Object.entries(loaded)) {
      if (typeof value === 'function' && NAME.test(name) && name !== 'default') found.set(name, value as Transformation);
    }
  }
  return found;
}

/** What `import()` understands: a file, with an ending added, the index of a folder; else the name of a package. */
async function urlOf(module: string, cwd: string): Promise<string> {
  if (module.startsWith('file:')) return module;
  const path = resolve(cwd, module);
  const candidates = [...EXTENSIONS.map((ending) => path + ending), ...EXTENSIONS.slice(1).map((ending) => join(path, `index${ending}`))];
  for (const file of candidates) if ((await stat(file).catch(() => undefined))?.isFile() === true) return pathToFileURL(file).href;
  if (/^(\.{0,2}\/|\.{1,2}$)/.test(module)) throw new ModuleError(notFound(module));
  try {
    return pathToFileURL(createRequire(join(cwd, 'package.json')).resolve(module)).href;
  } catch {
    // Not there, or for `import` only: then import() finds it if it is installed next to warctap.
    return module;
  }
}

function notFound(module: string): string {
  return `there is no module of transformations ${JSON.stringify(module)}: expected a file, a folder with an index, or a package (CIRCE_TRANSFORMATIONS_MODULE)`;
}
