/**
 * TLS contexts that say what clients say, made from their hellos: one for each hello, as making one costs more than a handshake.
 *
 * Owns a bounded number of them. What this OpenSSL does not know is left out.
 */
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { LRUCache } from 'lru-cache';
import type { TlsImitation } from '../tls/imitation.ts';

/** Browsers of one kind have the same hello; somebody who makes up new ones costs contexts, and no more memory than this. */
const MAX_CONTEXTS = 64;

const OF_TLS_1_3_ONLY = /^TLS_[^:]*(?::TLS_[^:]*)*$/;

export class ImitatedContexts {
  readonly #base: SecureContextOptions;
  readonly #fallback: SecureContext;
  readonly #contexts = new LRUCache<string, SecureContext>({ max: MAX_CONTEXTS });
  /** groups and algorithms by whether they are known here; there are no more than the tables of names have */
  readonly #known = new Map<string, boolean>();

  /** @param base what holds for all. @param fallback for a hello that cannot be imitated */
  constructor(base: SecureContextOptions, fallback: SecureContext) {
    this.#base = base;
    this.#fallback = fallback;
  }

  of(imitation: TlsImitation): SecureContext {
    const known = this.#contexts.get(imitation.key);
    if (known !== undefined) return known;
    const made = this.#make(imitation);
    this.#contexts.set(imitation.key, made);
    return made;
  }

  #make({ ciphers, groups, signatures, minVersion, maxVersion }: TlsImitation): SecureContext {
    const ecdhCurve = groups.filter((group) => this.#isKnown('ecdhCurve', group)).join(':');
    const sigalgs = signatures.filter((algorithm) => this.#isKnown('sigalgs', algorithm)).join(':');
    const options: SecureContextOptions = {
      ...this.#base,
      // At any other level OpenSSL leaves out some of them; a list of nothing but the level is none for it.
      ciphers: OF_TLS_1_3_ONLY.test(ciphers) ? ciphers : `${ciphers}:@SECLEVEL=0`,
      minVersion,
      maxVersion,
      ...(ecdhCurve === '' ? {} : { ecdhCurve }),
      ...(sigalgs === '' ? {} : { sigalgs }),
    };
    try {
      return createSecureContext(options);
    } catch {
      // OpenSSL has turned the whole of it down: the page is worth more than the likeness.
      return this.#fallback;
    }
  }

  #isKnown(option: 'ecdhCurve' | 'sigalgs', name: string): boolean {
    let known = this.#known.get(name);
    if (known === undefined) {
      try {
        createSecureContext({ [option]: name });
        known = true;
      } catch {
        known = false;
      }
      this.#known.set(name, known);
    }
    return known;
  }
}
