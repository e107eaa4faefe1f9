/**
 * The manager, as a worker or an administrator sees it: calls over HTTP.
 *
 * Tells apart that it is away, which passes, and that it refuses, which does not.
 */
import { reasonOf } from '../../util/thrown.ts';

/** It cannot be reached, or cannot answer for now. */
export class ManagerAwayError extends Error {
  override readonly name = 'ManagerAwayError';
  readonly code = 'QUEUE_MANAGER_AWAY';
}

/** It says no, in its own words. */
export class ManagerRefusalError extends Error {
  override readonly name = 'ManagerRefusalError';
  readonly code = 'QUEUE_MANAGER_REFUSES';
  readonly status: number;

  constructor(status: number, line: string) {
    super(`the manager answers ${status}: ${line}`);
    this.status = status;
  }
}

const TIMEOUT_MS = 20_000;
const MAX_LINE = 300;

export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | ReadableStream<Uint8Array>;
  /** waits as long as it takes */
  readonly patient?: true;
}

export type CallManager = (path: string, sent?: Sent) => Promise<Response>;

/** @returns a function whose promise is rejected with ManagerAwayError or ManagerRefusalError for whatever is not 2xx */
export function managerAt(url: string, key: string): CallManager {
  const base = url.replace(/\/+$/, '');
  return async (path, { method = 'GET', headers = {}, body, patient } = {}) => {
    let response: Response;
    try {
      response = await fetch(`${base}${path}`, {
        method,
        headers: { 'X-Heroshi-Auth': key, ...headers },
        redirect: 'error',
        ...(body === undefined ? {} : { body, duplex: 'half' }),
        ...(patient === true ? {} : { signal: AbortSignal.timeout(TIMEOUT_MS) }),
      });
    } catch (error) {
      throw away(base, error);
    }
    if (response.ok) return response;
    const line = (await response.text().catch(() => '')).replace(/\s+/g, ' ').trim().slice(0, MAX_LINE);
    if (response.status >= 500 || response.status === 408)
      throw new ManagerAwayError(`the manager at ${base} answers ${response.status}: ${line}`);
    throw new ManagerRefusalError(response.status, line);
  };
}

/** The body of an answer as JSON. @throws ManagerAwayError when it breaks off */
export async function jsonOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    throw away(response.url, error);
  }
}

function away(base: string, error: unknown): ManagerAwayError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return new ManagerAwayError(`the manager at ${base} cannot be reached: ${reasonOf(cause)}`, { cause: error });
}
