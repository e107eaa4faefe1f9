/**
 * Names of hash functions. Apart from the digests themselves, as options ask for it at every start.
 */
import { getHashes } from 'node:crypto';

/**
 * True for a hash this runtime has; names are taken in lower case.
 *
 * Node 26 has sha-256 too, as another name of sha256: readers do not know it as a label.
 */
export function isDigestAlgorithm(name: string): boolean {
  return /^(?![a-z]+-)[a-z0-9-]+$/.test(name) && getHashes().includes(name);
}
