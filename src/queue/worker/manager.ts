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
    const asked = (signal?: AbortSignal) =>
      fetch(`${base}${path}`, {
        method,
        headers: { 'X-Heroshi-Auth': key, ...headers },
        redirect: 'error',
        ...(body === undefined ? {} : { body, duplex: 'half' }),
        ...(signal === undefined ? {} : { signal }),
      });
    const response = await (patient === true ? asked() : inTime(async (signal) => whole(await asked(signal)))).catch((error: unknown) => {
      throw away(base, error);
    });
    if (response.ok) return response;
    const line = (await response.text().catch(() => '')).replace(/\s+/g, ' ').trim().slice(0, MAX_LINE);
    if (response.status >= 500 || response.status === 408)
      throw new ManagerAwayError(`the manager at ${base} answers ${response.status}: ${line}`);
    throw new ManagerRefusalError(response.status, line);
  };
}

/**
 * What is waited for keeps the program running, and is given up after its time whatever becomes of its connection: a call of `fetch` alone
 * does neither.
 */
async function inTime<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => {
      const error = new Error(`no answer within ${TIMEOUT_MS / 1000} seconds`);
      over.abort(error);
      fail(error);
    }, TIMEOUT_MS);
  });
  return Promise.race([work(over.signal), late]).finally(() => clearTimeout(timer));
}

/** With its body, which has come. */
async function whole(response: Response): Promise<Response> {
  const { status, statusText, headers } = response;
  const body = await response.arrayBuffer();
  return new Response(body.byteLength === 0 ? null : body, { status, statusText, headers });
}

/** The body of an answer as JSON. @throws ManagerAwayError when it breaks off */
export async function jsonOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    throw away(response.url === '' ? 'its address' : response.url, error);
  }
}

function away(base: string, error: unknown): ManagerAwayError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return new ManagerAwayError(`the manager at ${base} cannot be reached: ${reasonOf(cause)}`, { cause: error });
}
