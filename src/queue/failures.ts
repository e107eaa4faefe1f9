/**
 * Which visits are worth another one soon: those that failed for a reason that passes.
 *
 * Source: RFC 9110 §15.6, RFC 6585 §4; for the texts the manager and worker published after the wiki page.
 */
import type { Visit } from './records.ts';

/** Results without a status that will be the same the next time: the URL is bad, or somebody does not let it be fetched. */
const LASTING = /^(?:Invalid URI|Malformed URL quoting\.|Deny by robots\.txt|Proxy: .*)$/s;
const TOO_MANY_REQUESTS = 429;
const FIRST_SERVER_ERROR = 500;

export function isFailure({ status_code, result }: Pick<Visit, 'status_code' | 'result'>): boolean {
  if (status_code === null) return !LASTING.test(result);
  return status_code === TOO_MANY_REQUESTS || status_code >= FIRST_SERVER_ERROR;
}
