/** Chains of certificates as origins show them: a root that may be trusted, one between, and leaves with whatever is wrong with them. */
import { createPublicKey, generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto';
import {
  basicConstraintsCa,
  buildCertificate,
  certificatePem,
  distinguishedName,
  publicKeyInfo,
  signerOf,
  subjectAltName,
  usageServer,
  usageSignsCertificates,
} from '../../src/ca/x509.ts';
import { leafNames } from '../../src/ca/names.ts';

const DAY_MS = 86_400_000;

interface Authority {
  readonly name: string;
  readonly key: KeyObject;
  readonly pem: string;
}

export interface Leaf {
  readonly key: string;
  /** what the server sends, its own first */
  readonly cert: string;
  /** the same as DER */
  readonly chain: readonly Buffer[];
}

export interface LeafWish {
  readonly host?: string;
  /** days from today until it ends */
  readonly days?: number;
  readonly selfSigned?: boolean;
  /** sent behind the chain though nobody needs it */
  readonly more?: readonly string[];
}

export interface Chains {
  /** PEM */
  readonly root: string;
  leaf(wish?: LeafWish): Promise<Leaf>;
}

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

async function certificate(
  key: KeyObject,
  name: string,
  issuer: Pick<Authority, 'name' | 'key'>,
  host: string | undefined,
  days: number,
): Promise<string> {
  const nowMs = Date.now();
  const fields = {
    notBeforeMs: nowMs - 90 * DAY_MS,
    notAfterMs: nowMs + days * DAY_MS,
    issuer: distinguishedName({ CN: issuer.name }),
    subject: distinguishedName({ CN: name }),
    publicKey: publicKeyInfo(createPublicKey(key)),
    extensions: host === undefined ? [basicConstraintsCa(), usageSignsCertificates()] : [usageServer(), subjectAltName(leafNames(host))],
  };
  return certificatePem(await buildCertificate(fields, signerOf(issuer.key)!));
}

async function authority(name: string, issuer?: Authority): Promise<Authority> {
  const key = newKey();
  return { name, key, pem: await certificate(key, name, issuer ?? { name, key }, undefined, 365) };
}

/** @param name of the root: two that have the same are taken for each other */
export async function newChains(name = 'A root of the tests'): Promise<Chains> {
  const root = await authority(name);
  const between = await authority(`${name}, between`, root);
  return {
    root: root.pem,
    async leaf({ host = '127.0.0.1', days = 30, selfSigned = false, more = [] } = {}) {
      const key = newKey();
      const own = await certificate(key, host, selfSigned ? { name: host, key } : between, host, days);
      const sent = [own, ...(selfSigned ? [] : [between.pem]), ...more];
      return {
        key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
        cert: sent.join(''),
        chain: sent.map((pem) => new X509Certificate(pem).raw),
      };
    },
  };
}
