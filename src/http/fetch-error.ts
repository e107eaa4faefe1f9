/**
 * Why a request got no answer from its origin, and what the client is told instead.
 *
 * Source: spec/warcprox.md §2, table of errors.
 */

const STATUS = {
  /** nobody may connect there through this proxy */
  'forbidden-address': 400,
  'not-resolved': 502,
  'not-connected': 502,
  'connect-timeout': 504,
  'tls-failed': 502,
  'proxy-failed': 502,
  /** the connection ended before the first byte of an answer */
  'empty-response': 502,
  'invalid-response': 502,
  'response-timeout': 502,
  /** another request to this host failed within the last minute */
  'failed-before': 502,
  /** the client went away before its request was complete */
  'request-aborted': 400,
  /** the temporary file of the recording could not be written */
  'recording-failed': 500,
  /** the disk of the WARC files is nearly full */
  'no-space': 503,
  'shutting-down': 503,
} as const;

export type FetchErrorCode = keyof typeof STATUS;

export class FetchError extends Error {
  readonly code: FetchErrorCode;
  readonly status: number;

  constructor(code: FetchErrorCode, message: string, options: { cause?: unknown; status?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'FetchError';
    this.code = code;
    this.status = options.status ?? STATUS[code];
  }
}
