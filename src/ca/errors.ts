/**
 * What can go wrong in this room, one class per reaction.
 *
 * `CaError` ends the program at start; `CertificateNameError` refuses one request.
 */

/** The authority cannot be used: `CA_INVALID` when the file's content is wrong, `CA_IO` when it cannot be read or written, `CA_MISSING` when
 * there is none and none is to be made. */
export class CaError extends Error {
  override readonly name = 'CaError';
  readonly code: 'CA_INVALID' | 'CA_IO' | 'CA_MISSING';

  constructor(code: CaError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** The text is neither an IP address nor a host name that a certificate can be made for. */
export class CertificateNameError extends Error {
  override readonly name = 'CertificateNameError';
  readonly code = 'CERTIFICATE_NAME';

  constructor(host: string) {
    super(`no certificate can be made for ${JSON.stringify(host.slice(0, 300))}: it is neither an IP address nor a host name`);
  }
}
