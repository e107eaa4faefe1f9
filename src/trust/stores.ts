/**
 * All stores of a machine that an authority can be put into.
 */
import { X509Certificate } from 'node:crypto';
import { javaStore } from './java.ts';
import { nssStores } from './nss.ts';
import type { Certificate, Machine, StoreKind, TrustStore } from './store.ts';
import { systemStore } from './system.ts';

export interface FoundStores {
  readonly stores: readonly TrustStore[];
  /** what would be there, but for a program that is missing, in words */
  readonly missing: readonly string[];
}

export function certificateOf(pem: string): Certificate {
  const { fingerprint, fingerprint256 } = new X509Certificate(pem);
  return { pem, sha1: fingerprint.replaceAll(':', ''), sha256: fingerprint256.replaceAll(':', '') };
}

/** @param kinds those that are wanted */
export async function storesOf(certificate: Certificate, machine: Machine, kinds: readonly StoreKind[]): Promise<FoundStores> {
  const system = kinds.includes('system') ? await systemStore(certificate, machine) : undefined;
  const nss = kinds.includes('nss') ? await nssStores(certificate, machine) : { stores: [], missing: [] };
  const java = kinds.includes('java') ? await javaStore(certificate, machine) : undefined;
  const noSystem = kinds.includes('system') && system === undefined;
  return {
    stores: [...(system === undefined ? [] : [system]), ...nss.stores, ...(java === undefined ? [] : [java])],
    missing: [
      ...(noSystem ? ['the system store: neither update-ca-certificates nor update-ca-trust is here'] : []),
      ...nss.missing.map((name) => `${name}: certutil of NSS is not here (apt install libnss3-tools, brew install nss)`),
    ],
  };
}
