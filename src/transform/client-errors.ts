/** What can go wrong for a client: the names are those of the Python client. */
export class ClientException extends Error {
  override readonly name: string = 'ClientException';
  readonly code: string = 'CIRCE_CLIENT';
}

/** The result did not come in time; the job goes on. */
export class TimeoutException extends ClientException {
  override readonly name = 'TimeoutException';
  override readonly code = 'CIRCE_TIMEOUT';
}

/** The service does not know the application, or the signature is not right. */
export class AccessDenied extends ClientException {
  override readonly name = 'AccessDenied';
  override readonly code = 'CIRCE_ACCESS_DENIED';
}
