/**
 * What a program that embeds warctap may import.
 */
import { startProxy, type WarctapProxy } from './programs/proxy.ts';
import { resolveOptions } from './options/resolve.ts';
import type { WarctapOptions } from './options/table.ts';
import { silentLog, type Log } from './util/log.ts';

export type { ProxyEvents, WarctapProxy } from './programs/proxy.ts';
export type {
  Capture,
  CustomRecordCapture,
  ExchangeCapture,
  FailedCapture,
  Outcome,
  RecordedBlock,
  RecordedResponse,
  Truncation,
} from './capture/capture.ts';
export { OptionError } from './options/error.ts';
export type { ListenerPlugin, Plugin, PluginController, PluginFactory, ProcessorPlugin } from './archive/plugins.ts';
export type { WarctapOptions } from './options/table.ts';
export type { Log } from './util/log.ts';
export type { WrittenRecord } from './warc/record.ts';

/**
 * Start a proxy inside of this program.
 *
 * @param options as on the command line, in camelCase; `log` takes a pino logger or anything alike, without one nothing is logged
 * @returns the proxy, listening
 * @throws OptionError for an option that will not do; an Error with a one-line message for whatever else keeps it from starting
 */
export async function createProxy(options: WarctapOptions & { readonly log?: Log } = {}): Promise<WarctapProxy> {
  const { log = silentLog, ...given } = options;
  return startProxy(resolveOptions(given), log);
}
