/**
 * What a program that embeds warctap may import.
 */
import { resolve, resolveOptions } from './options/resolve.ts';
import { CORE_OPTIONS, type CoreOptions, type WarctapOptions } from './options/table.ts';
import type { Core } from './programs/core.ts';
import { openCore } from './programs/open-core.ts';
import type { WarctapProxy } from './programs/proxy.ts';
import { startProxy } from './programs/start-proxy.ts';
import { silentLog, type Log } from './util/log.ts';

export { FetchError, type FetchErrorCode } from './http/fetch-error.ts';
export { MessageError } from './http/errors.ts';
export type { Core, CoreEvents } from './programs/core.ts';
export type { Figures } from './programs/figures.ts';
export type { Archived } from './programs/expected.ts';
export { RefusedError } from './programs/inner-client.ts';
export type { ProxyEvents, WarctapProxy } from './programs/proxy.ts';
export type { FetchInit } from './programs/request.ts';
export type { FetchedResponse } from './programs/response.ts';
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
export type { Changes } from './options/changes.ts';
export type { CoreOptions, WarctapOptions } from './options/table.ts';
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

/**
 * Open a core inside of this program: it fetches URLs into WARC files without any listener.
 *
 * @param options as those of `createProxy`, but for what belongs to clients of a proxy; `playbackIndex` keeps the index of playback
 * @returns the core; it has to be closed
 * @throws as `createProxy`
 */
export async function createCore(options: CoreOptions & { readonly log?: Log; readonly playbackIndex?: boolean } = {}): Promise<Core> {
  const { log = silentLog, playbackIndex = false, ...given } = options;
  return openCore({ options: resolve(CORE_OPTIONS, given), log, playbackIndex });
}
