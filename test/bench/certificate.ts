/**
 * A certificate for the origin: elliptic, so that its handshakes are cheap. Nobody verifies it.
 */
import { generateKeyPairSync } from 'node:crypto';
import { buildCertificate, certificatePem, distinguishedName, publicKeyInfo, signerOf } from '../../src/ca/x509.ts';

const DAY_MS = 86_400_000;

export async function originCertificate(): Promise<{ key: string; cert: string }> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const signer = signerOf(privateKey);
  if (signer === undefined) throw new Error('no signature with this key');
  const name = distinguishedName({ CN: 'bench' });
  const certificate = await buildCertificate(
    {
      notBeforeMs: Date.now() - DAY_MS,
      notAfterMs: Date.now() + DAY_MS,
      issuer: name,
      subject: name,
      publicKey: publicKeyInfo(publicKey),
      extensions: [],
    },
    signer,
  );
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, cert: certificatePem(certificate) };
}
