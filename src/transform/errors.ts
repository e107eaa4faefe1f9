/**
 * What a client of the transformation service has done wrong, with the status that says so. One class, for one reaction: an answer.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code = 'WARCTAP_TRANSFORM_REFUSED';
  readonly status: 400 | 403 | 404 | 413 | 503 | 507;

  /** @param message one line for the client */
  constructor(status: Refusal['status'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
  }
}

/** An archive that is none, or is not to be unpacked. */
export function badArchive(message: string, cause?: unknown): Refusal {
  return new Refusal(400, message, cause);
}

/** The transformations cannot be offered: the program should not start. */
export class ModuleError extends Error {
  override readonly name = 'ModuleError';
  readonly code = 'WARCTAP_TRANSFORMATIONS';
}
