/**
 * Why a request got no answer from its origin, and what the client is told instead.
 */
import { FETCH_ERRORS, type FetchErrorCode } from '../messages/answers.ts';

export type { FetchErrorCode } from '../messages/answers.ts';

export class FetchError extends Error {
  readonly code: FetchErrorCode;
  readonly status: number;
  /** address that was reached, where one was before it failed */
  ipAddress: string | undefined;

  constructor(code: FetchErrorCode, message: string, options: { cause?: unknown; status?: number; ipAddress?: string | undefined } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'FetchError';
    this.code = code;
    this.status = options.status ?? FETCH_ERRORS[code].status;
    this.ipAddress = options.ipAddress;
  }
}
