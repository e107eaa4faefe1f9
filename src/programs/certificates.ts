/**
 * The certificate authority and the certificates for hosts, from the options that say where they are.
 */
import { stat } from 'node:fs/promises';
import { hostname as machineName } from 'node:os';
import { loadOrCreateCa, type CertificateAuthority } from '../ca/authority.ts';
import { openLeafStore, type LeafStore } from '../ca/contexts.ts';
import { caPlaces } from '../ca/places.ts';
import { OptionError } from '../options/error.ts';
import type { CertificateSlice } from '../options/rows/certificates.ts';
import type { Log } from '../util/log.ts';

/** Both are made where there are none. @throws OptionError or CaError */
export async function openCertificates(
  { cacert, certsDir }: CertificateSlice,
  log: Log,
): Promise<{ readonly ca: CertificateAuthority; readonly leaves: LeafStore }> {
  const hostname = machineName();
  const places = await caPlaces({ file: cacert, leaves: certsDir }, hostname, log);
  const ca = await loadOrCreateCa({ file: places.file, hostname, log });
  const isFolder = await stat(places.leaves).then(
    (there) => there.isDirectory(),
    () => true,
  );
  if (!isFolder) throw new OptionError('certsDir', places.leaves, 'a folder, existing or not');
  return { ca, leaves: await openLeafStore({ ca, dir: places.leaves, log }) };
}
