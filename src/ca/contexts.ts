/**
 * TLS contexts by host: what the proxy answers a client's ClientHello with.
 *
 * ```
 * host → names → context cached? ─ yes ─────────────────────────────→ context (no promise)
 *                   no → being made? ─ yes → wait for that one
 *                          no → kept in the folder and still good? ─ no → build + sign (thread pool)
 *                                                  └ yes ────────────────┴→ createSecureContext → cache
 * ```
 * A certificate that was made is kept in the folder once an origin of that name has been reached: names are easily made up.
 *
 * Owns the cache, the work under way and the folder's background writes.
 */
import type { KeyObject } from 'node:crypto';
import { createHash, createPublicKey } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { LRUCache } from 'lru-cache';
import type { Log } from '../util/log.ts';
import { turns } from '../util/turns.ts';
import type { CertificateAuthority } from './authority.ts';
import type { Asn1 } from './der.ts';
import { CertificateNameError } from './errors.ts';
import { isLeafOf, keptLeaf, mintLeaf, type Leaf } from './leaf.ts';
import { LeafFolder } from './leaf-folder.ts';
import { leafNames, type LeafNames } from './names.ts';
import { publicKeyInfo } from './x509.ts';

export interface LeafStoreOptions {
  readonly ca: CertificateAuthority;
  /** where certificates are kept (`--certs-dir`); made if absent */
  readonly dir: string;
  /** bound of the cache of TLS contexts, which take about 35 kB each */
  readonly maxContexts?: number;
  /** bound of the folder */
  readonly maxKept?: number;
  readonly log: Log;
  /** milliseconds since 1970 */
  readonly now?: () => number;
}

interface Entry {
  readonly context: SecureContext;
  readonly renewAtMs: number;
  /** the certificate, while it is not in the folder */
  unkept: string | undefined;
}

const MAX_CONTEXTS = 1000;
/** Each costs the main thread about a millisecond, and the event loop may hand over all that are ready in one turn. */
const MAX_AT_ONCE = 4;

/**
 * Free what OpenSSL holds now and not when the garbage collector finds it: hundreds at once would stop the event loop for tens of
 * milliseconds, and V8 does not see how much memory waits. Connections that were made with it keep what they need.
 */
function letGo(context: SecureContext): void {
  setImmediate(() => {
    // Not documented, but there since Node 0.12; where it is not, the collector does it.
    (context.context as { close?: () => void } | undefined)?.close?.();
  });
}

/** Never throws for the folder: without one it works from memory. */
export async function openLeafStore(options: LeafStoreOptions): Promise<LeafStore> {
  const { ca, dir, maxKept, log, now = Date.now } = options;
  const folder = new LeafFolder({ dir, isOurs: (pem) => isLeafOf(ca.issuer, pem), maxKept, now, log });
  return new LeafStore(options, folder, await folder.key());
}

export class LeafStore {
  /** SHA-256 of the key of all certificates (SubjectPublicKeyInfo, DER), in Base64, by which a client can trust them without the authority */
  readonly keySha256: string;
  readonly #ca: CertificateAuthority;
  readonly #log: Log;
  readonly #now: () => number;
  readonly #folder: LeafFolder;
  readonly #keyPem: string;
  readonly #publicKey: Asn1;
  readonly #chain: string;
  readonly #cache: LRUCache<string, Entry>;
  readonly #underWay = new Map<string, Promise<SecureContext>>();
  /** The queue is bounded by the proxy's connections. */
  readonly #turns = turns(MAX_AT_ONCE);

  constructor(options: LeafStoreOptions, folder: LeafFolder, key: KeyObject) {
    this.#ca = options.ca;
    this.#log = options.log;
    this.#now = options.now ?? Date.now;
    this.#folder = folder;
    this.#keyPem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
    const publicKey = createPublicKey(key);
    this.#publicKey = publicKeyInfo(publicKey);
    this.keySha256 = createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64');
    // RFC 8446 §4.4.2: who trusts a self-signed authority has it already. Leaving it out saves a third of a millisecond per context and per handshake.
    this.#chain = options.ca.certificate.checkIssued(options.ca.certificate) ? '' : options.ca.certificatePem;
    this.#cache = new LRUCache({ max: options.maxContexts ?? MAX_CONTEXTS, dispose: ({ context }) => letGo(context) });
  }

  /** TLS contexts in the cache. */
  get size(): number {
    return this.#cache.size;
  }

  /**
   * The context that a server shows to a client which asks for this host. No promise when it is cached.
   *
   * To be used in the same turn of the event loop: a context that has left the cache is freed with the next.
   *
   * @param host ASCII name or IP address: the client's SNI if it sends one, else the host of CONNECT
   * @throws CertificateNameError at once, when it is neither
   */
  secureContext(host: string): SecureContext | Promise<SecureContext> {
    const names = leafNames(host);
    const entry = this.#cache.get(names.key);
    if (entry !== undefined && this.#now() < entry.renewAtMs) return entry.context;
    const running = this.#underWay.get(names.key);
    if (running !== undefined) return running;
    const made = this.#turns.run(() => this.#make(names)).finally(() => this.#underWay.delete(names.key));
    this.#underWay.set(names.key, made);
    return made;
  }

  /** An origin of this name has been reached: what was made for it will be asked for again. Does nothing for what is not in the cache. */
  keep(host: string): void {
    const key = keyOf(host);
    const entry = key === undefined ? undefined : this.#cache.peek(key);
    if (key === undefined || entry?.unkept === undefined) return;
    this.#folder.write(key, entry.unkept);
    entry.unkept = undefined;
  }

  /** Waits for the contexts that are being made and for the background writes. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#underWay.values());
    await this.#folder.flush();
    this.#cache.clear();
  }

  async #make(names: LeafNames): Promise<SecureContext> {
    const kept = await this.#kept(names);
    const leaf = kept ?? (await mintLeaf(this.#ca.issuer, names, this.#publicKey, this.#now()));
    const context = createSecureContext({ key: this.#keyPem, cert: leaf.pem + this.#chain });
    this.#cache.set(names.key, { context, renewAtMs: leaf.renewAtMs, unkept: kept === undefined ? leaf.pem : undefined });
    return context;
  }

  async #kept(names: LeafNames): Promise<Leaf | undefined> {
    const pem = await this.#folder.read(names.key);
    if (pem === undefined) return undefined;
    const leaf = keptLeaf(pem, this.#ca.issuer, names, this.#publicKey, this.#now());
    if (leaf === undefined) this.#log.debug({ name: names.key }, 'the kept leaf certificate is no good any more and is replaced');
    return leaf;
  }
}

/** @returns nothing for what no certificate can be made for */
function keyOf(host: string): string | undefined {
  try {
    return leafNames(host).key;
  } catch (error) {
    if (error instanceof CertificateNameError) return undefined;
    throw error;
  }
}
