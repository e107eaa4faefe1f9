/**
 * What becomes of what a visit throws: nothing for now, another try, or the exception of an item.
 */
import type { FetchError } from '../../http/fetch-error.ts';
import { codeOf, reasonOf } from '../../util/thrown.ts';
import { RenderError } from './render.ts';
import { TimedOutError } from './requests.ts';

/** The core begins nothing: that says nothing of the page. */
export class NotNowError extends Error {
  override readonly name = 'NotNowError';
}

const NOT_NOW: ReadonlySet<string> = new Set<FetchError['code']>(['no-space', 'shutting-down']);

/** The core says so. */
export function isNotNow(error: unknown): boolean {
  return NOT_NOW.has(codeOf(error) ?? '');
}

/** What may pass: no answer, or none in time; a browser that has crashed. */
export function isNetwork(error: unknown): boolean {
  return error instanceof TimedOutError || error instanceof RenderError || (error instanceof Error && error.name === 'FetchError');
}

const EXPECTED = new Set(['FetchError', 'MessageError', 'RenderError', 'TooLargeError']);

/** As items have it. */
export function textOf(error: unknown): string {
  if (error instanceof TimedOutError) return 'Timed out';
  if (codeOf(error) === 'REFUSED') return `ProxyRejected: ${reasonOf(error)}`;
  if (!(error instanceof Error)) return reasonOf(error);
  return EXPECTED.has(error.name) ? `${error.name}: ${error.message}` : (error.stack ?? error.message);
}
