/**
 * The certificate authority: made at the first start, loaded from its file ever after.
 *
 * Holds the private key, which leaves this room only into that file. Never writes to a file that is there.
 * A file that group or others may write to is refused: they could put their own authority into it. One that they may read is used, with a
 * warning: warcprox has made its files so, and secrets are mounted so into containers, where a refusal would help nobody.
 * Source: spec §1 (`--cacert`), §9; RFC 5280 §4.2 (extensions).
 */
import { createPublicKey, generateKeyPair, X509Certificate, type KeyObject } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Log } from '../util/log.ts';
import { codeOf, reasonOf } from '../util/thrown.ts';
import { readCaPem, type KeyAndCertificate } from './ca-pem.ts';
import type { Asn1 } from './der.ts';
import { CaError } from './errors.ts';
import { createFile, makeFolder } from './files.ts';
import {
  basicConstraintsCa,
  buildCertificate,
  certificatePem,
  distinguishedName,
  keyIdOf,
  publicKeyInfo,
  signerOf,
  subjectKeyId,
  subjectOf,
  usageSignsCertificates,
  type Signer,
} from './x509.ts';

/** What a certificate needs of the authority that issues it. */
export interface Issuer {
  readonly name: Asn1;
  readonly keyId: Buffer;
  readonly publicKey: KeyObject;
  readonly signer: Signer;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface CertificateAuthority {
  readonly file: string;
  /** whether this start made it */
  readonly created: boolean;
  readonly certificate: X509Certificate;
  /** the certificate without the key, for those who shall trust it */
  readonly certificatePem: string;
  readonly issuer: Issuer;
}

export interface CaOptions {
  /** PEM, key and certificate */
  readonly file: string;
  /** named in the subject of a new authority */
  readonly hostname: string;
  readonly log: Log;
  /** milliseconds since 1970 */
  readonly now?: () => number;
}

const DAY_MS = 86_400_000;
/** For clients whose clock is behind. */
const BACKDATED_MS = DAY_MS;
const LIFETIME_YEARS = 10;
const RSA_BITS = 2048;
/** Bits of a file's mode, for group and others. */
const OTHERS_WRITE = 0o022;
const OTHERS_READ = 0o044;
/** RFC 5280 Appendix A.1, ub-common-name. */
const MAX_COMMON_NAME = 64;

/** @throws CaError when the file cannot be read or made, or is not a usable authority; the message is one line */
export async function loadOrCreateCa(options: CaOptions): Promise<CertificateAuthority> {
  const { file, log } = options;
  const nowMs = (options.now ?? Date.now)();
  let pem = await readIfThere(file);
  let created = false;
  if (pem === undefined) {
    const fresh = await newCaPem(options.hostname, nowMs);
    created = await create(file, fresh);
    // Somebody else was faster: theirs counts, for both.
    pem = created ? fresh : await readIfThere(file);
    if (pem === undefined) throw new CaError('CA_IO', `CA file ${file}: it was there and then it was gone; expected it to stay`);
  }
  const authority = { file, created, ...describe(readCaPem(file, pem, nowMs)) };
  if (created) log.info({ file }, 'made a new certificate authority');
  else await checkPermissions(file, log);
  return authority;
}

/**
 * The authority that is there; none is ever made.
 *
 * @throws CaError as `loadOrCreateCa`, or with the code `CA_MISSING`
 */
export async function loadCa({ file, log }: Pick<CaOptions, 'file' | 'log'>): Promise<CertificateAuthority> {
  const pem = await readIfThere(file);
  if (pem === undefined) {
    const how = 'the proxy makes it at its first start; start it, run this in its folder, or name its file with --cacert';
    throw new CaError('CA_MISSING', `CA file ${resolve(file)}: there is none; ${how}`);
  }
  const authority = { file, created: false, ...describe(readCaPem(file, pem, Date.now())) };
  await checkPermissions(file, log);
  return authority;
}

function describe({ key, certificate }: KeyAndCertificate): Pick<CertificateAuthority, 'certificate' | 'certificatePem' | 'issuer'> {
  const signer = signerOf(key);
  if (signer === undefined) throw new TypeError('readCaPem lets only keys pass that can sign');
  const publicKey = createPublicKey(key);
  const issuer: Issuer = {
    ...subjectOf(certificate.raw, publicKeyInfo(publicKey)),
    publicKey,
    signer,
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
  };
  return { certificate, certificatePem: certificatePem(certificate.raw), issuer };
}

/** Key first, as warcprox writes it. */
async function newCaPem(hostname: string, nowMs: number): Promise<string> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: RSA_BITS });
  const signer = signerOf(privateKey);
  if (signer === undefined) throw new TypeError('RSA keys can sign');
  const subject = distinguishedName({ CN: `warctap CA on ${hostname}`.slice(0, MAX_COMMON_NAME), O: 'warctap, a web archiving proxy' });
  const keyInfo = publicKeyInfo(publicKey);
  const notBefore = new Date(nowMs - BACKDATED_MS);
  const notAfter = new Date(notBefore);
  notAfter.setUTCFullYear(notBefore.getUTCFullYear() + LIFETIME_YEARS);
  const certificate = await buildCertificate(
    {
      notBeforeMs: notBefore.getTime(),
      notAfterMs: notAfter.getTime(),
      issuer: subject,
      subject,
      publicKey: keyInfo,
      extensions: [basicConstraintsCa(), usageSignsCertificates(), subjectKeyId(keyIdOf(keyInfo))],
    },
    signer,
  );
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() + certificatePem(certificate);
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new CaError('CA_IO', `CA file ${file}: it cannot be read (${reasonOf(error)}); expected a file that this user may read`, error);
  }
}

async function create(file: string, pem: string): Promise<boolean> {
  try {
    await makeFolder(dirname(file));
    return await createFile(file, pem);
  } catch (error) {
    throw new CaError(
      'CA_IO',
      `CA file ${file}: it cannot be made (${reasonOf(error)}); expected a folder that this user may write to`,
      error,
    );
  }
}

async function checkPermissions(file: string, log: Log): Promise<void> {
  const { mode } = await stat(file);
  if (process.platform === 'win32') return;
  const shown = (mode & 0o777).toString(8).padStart(3, '0');
  if ((mode & OTHERS_WRITE) !== 0) {
    throw new CaError(
      'CA_INVALID',
      `CA file ${file}: its group or others may write to it (mode ${shown}); expected a file of its owner alone, run: chmod 600 ${file}`,
    );
  }
  if ((mode & OTHERS_READ) !== 0) {
    log.warn({ file, mode: shown }, 'others may read the private key of the certificate authority; chmod 600 is advised');
  }
}
