/**
 * Why a request got no answer from its origin, and what the client is told instead.
 */
import { FETCH_ERRORS, type FetchErrorCode } from '../messages/answers.ts';

export type { FetchErrorCode } from '../messages/answers.ts';

export class FetchError extends Error {
  readonly code: FetchErrorCode;
  readonly status: number;

  constructor(code: FetchErrorCode, message: string, options: { cause?: unknown; status?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'FetchError';
    this.code = code;
    this.status = options.status ?? FETCH_ERRORS[code].status;
  }
}
