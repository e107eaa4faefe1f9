/**
 * Rate limits: seconds between the end of one request to a host and the start of the next, for each host or for all that have none.
 *
 * Hosts are in lower case and IDNA form, without port.
 */
import { create } from '@bufbuild/protobuf';
import { blake2b } from '@noble/hashes/blake2.js';
import type { ClassicLevel } from 'classic-level';
import { domainToASCII } from 'node:url';
import { Failure } from '../failure.ts';
import type { Delays } from '../jobs/types.ts';
import { RateLimitSchema, type RateLimit } from '../proto/starbelly_pb.ts';
import { byText, Messages } from './messages.ts';

const GLOBAL = '';
const GLOBAL_NAME = 'Global Rate Limit';
const TOKEN_BYTES = 16;
const GLOBAL_TOKEN = new Uint8Array(TOKEN_BYTES);
const INITIAL_DELAY = 5;

export class RateLimits implements Delays {
  readonly #messages: Messages<typeof RateLimitSchema>;

  private constructor(messages: Messages<typeof RateLimitSchema>) {
    this.#messages = messages;
  }

  static async open(level: ClassicLevel): Promise<RateLimits> {
    const limits = new RateLimits(await Messages.open(level, 'ratelimit', RateLimitSchema));
    if (limits.#messages.get(GLOBAL_KEY) === undefined) await limits.set(GLOBAL, INITIAL_DELAY);
    return limits;
  }

  /** By name. */
  list(): RateLimit[] {
    return this.#messages.all().sort(byText(({ name }) => name));
  }

  /** In seconds. @param host in lower case and IDNA form */
  delayOf(host: string): number {
    return (this.#messages.get(keyOf(host)) ?? this.#messages.get(GLOBAL_KEY))?.delay ?? INITIAL_DELAY;
  }

  /** @param domain empty for all that have no limit of their own. @throws Failure */
  async set(domain: string, delay: number): Promise<void> {
    if (!(delay >= 0 && delay < Infinity)) throw new Failure('Delay must be ≥0');
    const host = hostOf(domain);
    const limit =
      host === GLOBAL
        ? { name: GLOBAL_NAME, token: GLOBAL_TOKEN, delay }
        : { name: `domain:${host}`, token: blake2b(Buffer.from(host), { dkLen: TOKEN_BYTES }), delay, domain: host };
    await this.#messages.put(keyOf(host), create(RateLimitSchema, limit));
  }

  /** @throws Failure for the limit of all */
  async delete(domain: string): Promise<void> {
    const host = hostOf(domain);
    if (host === GLOBAL) throw new Failure('Cannot delete the global rate limit.');
    await this.#messages.delete(keyOf(host));
  }
}

/** No host has a space in front. */
const keyOf = (host: string): string => ` ${host}`;
const GLOBAL_KEY = keyOf(GLOBAL);

/** As URLs have it; a name that cannot be one stays, in lower case. */
function hostOf(domain: string): string {
  const name = domain.trim();
  return domainToASCII(name) || name.toLowerCase();
}
