/**
 * Loads plugins: finds the module, calls its factory, checks what comes back, starts it.
 *
 * Whatever is wrong ends as one error that names the module: a proxy does not start without a plugin that was asked for.
 * Source: spec/warcprox.md §11.
 */
import { createRequire } from 'node:module';
import { existsSync, realpathSync } from 'node:fs';
import { isAbsolute, join, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Log } from '../util/log.ts';
import { codeOf, reasonOf } from '../util/thrown.ts';
import { pluginProcessor, settlesWithin, type Plugin, type PluginController, type PluginFactory, type PluginProcessor } from './plugins.ts';
import type { Processor } from './processor.ts';

/** A plugin that cannot be loaded: the program should not start. */
export class PluginError extends Error {
  override readonly name = 'PluginError';
  readonly code = 'WARCTAP_PLUGIN';
  /** as it was given */
  readonly module: string;
  /** ends the sentence "expected …" */
  readonly expected: string;

  constructor(module: string, expected: string, cause?: unknown) {
    super(`plugin ${JSON.stringify(module)}: expected ${expected}`, cause === undefined ? undefined : { cause });
    this.module = module;
    this.expected = expected;
  }
}

export interface PluginOptions {
  /** paths (`./plugin.js`, absolute, or a file URL) or names of packages, in the order in which they are called */
  readonly modules: readonly string[];
  /** what paths are relative to, and where packages are looked for first */
  readonly cwd: string;
  /** given to the factories */
  readonly options: Readonly<Record<string, unknown>>;
  /** of warctap */
  readonly version: string;
  /** a call that takes longer is not waited for */
  readonly timeoutMs: number;
  readonly log: Log;
}

export interface LoadedPlugins {
  readonly early: readonly Processor[];
  readonly late: readonly Processor[];
  /** Whether code of a plugin has thrown what nobody caught; it is told and counted then, and nothing of ours is broken. */
  blame(error: unknown): boolean;
}

/** @throws PluginError for the first that cannot be loaded or started; those before it are stopped again */
export async function loadPlugins(options: PluginOptions): Promise<LoadedPlugins> {
  const { modules, timeoutMs, log } = options;
  const early: Processor[] = [];
  const late: Processor[] = [];
  const places: [places: readonly string[], processor: PluginProcessor][] = [];
  try {
    for (const module of modules) {
      const plugin = await load(module, options);
      const processor = pluginProcessor(plugin, { timeoutMs, log });
      (plugin.position === 'early' ? early : late).push(processor);
      places.push([placesOf(module, options.cwd), processor]);
      await start(module, plugin, timeoutMs);
      log.debug({ module, plugin: plugin.name }, 'plugin loaded');
    }
  } catch (error) {
    for (const processor of [...early, ...late]) await processor.close?.();
    throw error;
  }
  const blame = (error: unknown) => {
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    const [, processor] = places.find(([each]) => each.some((place) => stack.includes(place))) ?? [];
    processor?.threw(error);
    return processor !== undefined;
  };
  return { early, late, blame };
}

async function load(module: string, { cwd, options, version, timeoutMs, log }: PluginOptions): Promise<Plugin> {
  const factory: unknown = await importDefault(module, cwd);
  if (typeof factory !== 'function')
    throw new PluginError(module, `a default export that is a function, its default export is ${kindOf(factory)}`);
  const controller: PluginController = { version, log: tagged(log, module) };
  let made: unknown;
  try {
    const making = Promise.resolve((factory as PluginFactory)(options, controller)).then((plugin) => (made = plugin));
    if (!(await settlesWithin(making, timeoutMs))) throw new Error(`it did not return within ${timeoutMs} ms`);
  } catch (error) {
    throw new PluginError(module, `a function that makes a plugin: ${reasonOf(error)}`, error);
  }
  return checked(module, made);
}

async function importDefault(module: string, cwd: string): Promise<unknown> {
  try {
    const loaded = (await import(specifierOf(module, cwd))) as { default?: unknown };
    return loaded.default;
  } catch (error) {
    throw new PluginError(module, `an ES module that can be loaded (${whyNotLoaded(error, module, cwd)})`, error);
  }
}

function whyNotLoaded(error: unknown, module: string, cwd: string): string {
  const reason = reasonOf(error);
  // What Node says of the module itself names the file that asked for it, which is ours; of what that imports it names the plugin's.
  if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND' || !reason.includes(fileURLToPath(import.meta.url))) return reason;
  if (isPath(module)) return `there is no file ${fileURLToPath(specifierOf(module, cwd))}`;
  const hint = /[./\\]/.test(module) ? '; the path of a file begins with ./' : '';
  return `no package of this name is installed in ${cwd} or above, or beside warctap${hint}`;
}

function isPath(module: string): boolean {
  return /^\.{0,2}\//.test(module) || /^\.{1,2}\\/.test(module) || isAbsolute(module) || module.startsWith('file:');
}

/** What `import()` understands. */
function specifierOf(module: string, cwd: string): string {
  if (module.startsWith('file:')) return module;
  if (isPath(module)) return pathToFileURL(resolve(cwd, module)).href;
  try {
    return pathToFileURL(createRequire(join(cwd, 'package.json')).resolve(module)).href;
  } catch {
    // Not there, or for `import` only: then it is found if it is installed next to warctap, and import() says what is wrong otherwise.
    return module;
  }
}

/** What stands in the stack of whatever code of a plugin has thrown: its file, or the folder of its package. */
function placesOf(module: string, cwd: string): readonly string[] {
  const specifier = specifierOf(module, cwd);
  const file = specifier.startsWith('file:') ? fileURLToPath(specifier) : `${sep}node_modules${sep}${module}${sep}`;
  const real = existsSync(file) ? realpathSync(file) : file;
  const [inPackage] = /^.*[/\\]node_modules[/\\](?:@[^/\\]+[/\\])?[^/\\]+[/\\]/.exec(real) ?? [];
  // Stacks have URLs of modules, and paths of CommonJS.
  return inPackage === undefined ? [`${real}:`, `${pathToFileURL(real).href}:`] : [inPackage, pathToFileURL(inPackage).href];
}

async function start(module: string, plugin: Plugin, timeoutMs: number): Promise<void> {
  try {
    if (await settlesWithin(Promise.resolve(plugin.start?.()), timeoutMs)) return;
  } catch (error) {
    throw new PluginError(module, `a plugin that can be started: ${reasonOf(error)}`, error);
  }
  throw new PluginError(module, `a plugin that starts within ${timeoutMs} ms`);
}

function checked(module: string, made: unknown): Plugin {
  if (typeof made !== 'object' || made === null)
    throw new PluginError(module, `a function that returns a plugin, it returns ${kindOf(made)}`);
  const plugin = made as Partial<Record<string, unknown>>;
  const { name, position } = plugin;
  const fault = (text: string) => new PluginError(module, `a plugin ${text}`);
  if (typeof name !== 'string' || name === '') throw fault('with a name');
  const has = (method: string) => plugin[method] !== undefined;
  for (const method of ['notify', 'process', 'start', 'stop']) {
    if (has(method) && typeof plugin[method] !== 'function') throw fault(`whose ${method} is a method, it is ${kindOf(plugin[method])}`);
  }
  if (has('notify') === has('process')) throw fault(`with one of notify() and process(), it has ${has('notify') ? 'both' : 'neither'}`);
  if (position !== undefined && position !== 'early')
    throw fault(`whose position is "early" or left out, it is ${JSON.stringify(position)}`);
  return made as Plugin;
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  return value === null ? 'null' : `of type ${typeof value}`;
}

function tagged(log: Log, module: string): Log {
  return {
    debug: (fields, message) => log.debug({ module, ...fields }, message),
    info: (fields, message) => log.info({ module, ...fields }, message),
    warn: (fields, message) => log.warn({ module, ...fields }, message),
    error: (fields, message) => log.error({ module, ...fields }, message),
  };
}
