/**
 * Plugins as steps of the chain: what one of them does wrong, it does wrong alone.
 *
 * A plugin that throws, or does not return in time, is logged and counted; the captures go on. While a call has not returned the plugin
 * gets no other one: batches pass it by until then. Only a plugin that never gives back the thread cannot be helped.
 * Source: spec/warcprox.md §11.
 */
import type { Capture } from '../capture/capture.ts';
import type { Log } from '../util/log.ts';
import { reasonOf } from '../util/thrown.ts';
import type { WrittenRecord } from '../warc/record.ts';
import type { Processor } from './processor.ts';

interface PluginBase {
  /** as `/status` and the log call it */
  readonly name: string;
  /** before all other processors, when nothing is decided or written yet; otherwise after the crawl log */
  readonly position?: 'early' | undefined;
  /** called once, before the proxy listens */
  start?(): unknown;
  /** called once, after the last capture */
  stop?(): unknown;
}

/** Is told of one capture after the other. */
export interface ListenerPlugin extends PluginBase {
  /**
   * @param records where the capture was written, principal record first; empty when it was not, or in an early place
   * @returns anything; a promise is waited for, and the chain waits with it
   */
  notify(capture: Capture, records: readonly WrittenRecord[]): unknown;
}

/** Gets whole batches, in the order in which the fetches ended. */
export interface ProcessorPlugin extends PluginBase {
  /** @returns anything; a promise is waited for, and the chain waits with it */
  process(batch: readonly Capture[]): unknown;
}

export type Plugin = ListenerPlugin | ProcessorPlugin;

/** What the proxy offers to a plugin. */
export interface PluginController {
  /** of warctap */
  readonly version: string;
  /** lines come with the plugin's module */
  readonly log: Log;
}

/**
 * The default export of a plugin's module.
 *
 * @param options all options of the proxy in force, named in camelCase
 */
export type PluginFactory = (options: Readonly<Record<string, unknown>>, controller: PluginController) => Plugin | Promise<Plugin>;

export interface GuardOptions {
  /** a call that takes longer is not waited for */
  readonly timeoutMs: number;
  readonly log: Log;
}

export const PLUGIN_TIMEOUT_MS = 30_000;

export interface PluginProcessor extends Processor {
  /** Something was thrown by code of the plugin that nobody had called, as in a timer: it counts as a call that throws. */
  threw(error: unknown): void;
}

/** A plugin as a processor that never throws. */
export function pluginProcessor(plugin: Plugin, { timeoutMs, log }: GuardOptions): PluginProcessor {
  const { name } = plugin;
  let errors = 0;
  /** captures that the plugin has not seen since a call of it hangs; undefined when none does */
  let missed: number | undefined;

  const fail = (count: number, message: string, error?: unknown): void => {
    errors += count;
    log.error({ plugin: name, captures: count, ...(error === undefined ? {} : { err: error }) }, `plugin ${name} ${message}`);
  };

  /** @returns false when it hangs; @throws what the plugin throws in time */
  const call = async (work: () => unknown): Promise<boolean> => {
    const returned = Promise.resolve(work());
    if (await settlesWithin(returned, timeoutMs)) return true;
    missed = 0;
    const resume = (how: string, error?: unknown): void => {
      const fields = { plugin: name, missed, ...(error === undefined ? {} : { err: error }) };
      log.warn(fields, `plugin ${name} ${how} after all and gets captures again`);
      missed = undefined;
    };
    returned.then(
      () => resume('has returned'),
      (error: unknown) => resume(`has failed (${reasonOf(error)})`, error),
    );
    return false;
  };

  const hung = (count: number): void => fail(count, `has not returned within ${timeoutMs} ms: captures pass it by until it does`);

  const notifyAll = async (listener: ListenerPlugin, batch: readonly Capture[]): Promise<void> => {
    const failed: unknown[] = [];
    for (const [index, capture] of batch.entries()) {
      try {
        if (await call(() => listener.notify(capture, capture.outcome.records ?? []))) continue;
        hung(batch.length - index);
        break;
      } catch (error) {
        failed.push(error);
      }
    }
    // One line for a batch: a plugin that always throws must not fill the disk with its log.
    if (failed.length > 0)
      fail(failed.length, `failed for ${failed.length} of ${batch.length} captures: ${reasonOf(failed[0])}`, failed[0]);
  };

  // A copy of the batch: what a plugin does to the list is its own business.
  const processAll = async (processor: ProcessorPlugin, batch: readonly Capture[]): Promise<void> => {
    try {
      if (!(await call(() => processor.process([...batch])))) hung(batch.length);
    } catch (error) {
      fail(batch.length, `failed for a batch of ${batch.length} captures: ${reasonOf(error)}`, error);
    }
  };

  return {
    name,
    /** captures that the plugin has thrown for, or has not seen to the end */
    get errors() {
      return errors;
    },
    threw: (error) => fail(1, `failed outside of a call: ${reasonOf(error)}`, error),
    async process(batch) {
      if (missed !== undefined) {
        missed += batch.length;
        errors += batch.length;
      } else if (isListener(plugin)) {
        await notifyAll(plugin, batch);
      } else {
        await processAll(plugin, batch);
      }
    },
    async close() {
      try {
        const stopped = Promise.resolve(plugin.stop?.());
        if (!(await settlesWithin(stopped, timeoutMs)))
          log.error({ plugin: name }, `plugin ${name} has not stopped within ${timeoutMs} ms`);
      } catch (error) {
        log.error({ plugin: name, err: error }, `plugin ${name} failed to stop: ${reasonOf(error)}`);
      }
    },
  };
}

function isListener(plugin: Plugin): plugin is ListenerPlugin {
  return 'notify' in plugin && (plugin.notify as unknown) !== undefined;
}

/** @returns false when time is up first; @throws what the promise is rejected with in time */
export async function settlesWithin(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), timeoutMs)));
  try {
    return await Promise.race([promise.then(() => true as const), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
