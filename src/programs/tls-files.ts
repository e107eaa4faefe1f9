/**
 * The certificate that a service speaks HTTPS with, from the files of --tls-cert and --tls-key.
 */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import { OptionError } from '../options/error.ts';
import type { TlsSlice } from '../options/rows/listening.ts';
import { reasonOf } from '../util/thrown.ts';

/** @returns undefined where plain HTTP is spoken. @throws OptionError */
export async function readTlsFiles({ tlsCert, tlsKey }: TlsSlice): Promise<SecureContext | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined) throw new OptionError('tlsKey', tlsKey, 'a file beside that of --tls-cert, which is missing');
  if (tlsKey === undefined) throw new OptionError('tlsCert', tlsCert, 'a file beside that of --tls-key, which is missing');
  const cert = await contentOf('tlsCert', tlsCert);
  const key = await contentOf('tlsKey', tlsKey);
  try {
    new X509Certificate(cert);
  } catch (error) {
    throw new OptionError('tlsCert', tlsCert, `a certificate in PEM (${reasonOf(error)})`);
  }
  try {
    return createSecureContext({ cert, key });
  } catch (error) {
    throw new OptionError('tlsKey', tlsKey, `the private key of the certificate in ${tlsCert}, in PEM (${reasonOf(error)})`);
  }
}

async function contentOf(option: keyof TlsSlice, file: string): Promise<Buffer> {
  return readFile(file).catch((error: unknown) => {
    throw new OptionError(option, file, `a file that can be read (${reasonOf(error)})`);
  });
}
