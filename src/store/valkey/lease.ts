/**
 * By what name one who claims is known to a shared store, and until when the store takes him for alive.
 *
 * The name changes whenever it is not known whether a claim was made: what was claimed by the old one then lapses by itself. What was won by
 * it before is kept alive, and published by both names. Renewed only while something is held.
 */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Link, ScriptArgument } from './link.ts';
import { LAPSE, RENEW } from './scripts.ts';

interface Name {
  readonly id: string;
  /** until when the store takes it for alive at least */
  untilMs: number;
}

const LIVES_MS = 5000;
/** of each life, after which it is renewed */
const RENEW_SHARE = 1 / 5;

export class Lease {
  readonly livesMs: number;
  readonly #link: Link;
  #name = newName();
  /** the last name by which something may have been claimed or not */
  #doubted: Name | undefined;
  readonly #held = new Map<string, Name>();
  #timer: NodeJS.Timeout | undefined;

  constructor(link: Link, livesMs = LIVES_MS) {
    this.#link = link;
    this.livesMs = livesMs;
  }

  /** As scripts take them: how many, then each, the present one first. */
  get ids(): readonly ScriptArgument[] {
    const names = this.#names;
    return [names.length, ...names.map(({ id }) => id)];
  }

  /** Whether something that is held may be another's by now. */
  get lapsed(): boolean {
    const now = performance.now();
    for (const { untilMs } of this.#held.values()) if (now >= untilMs) return true;
    return false;
  }

  /** Before a call that brings the present name to life. @returns to be called when that was done */
  begin(): () => void {
    const name = this.#name;
    const untilMs = performance.now() + this.livesMs;
    return () => void (name.untilMs = Math.max(name.untilMs, untilMs));
  }

  hold(key: string): void {
    this.#held.set(key, this.#name);
    this.#timer ??= setInterval(() => void this.#renew(), this.livesMs * RENEW_SHARE).unref();
  }

  /** @returns whether it was held */
  done(key: string): boolean {
    const was = this.#held.delete(key);
    if (this.#held.size === 0) this.#stop();
    return was;
  }

  /** Be known by another name from now on. */
  renounce(): void {
    this.#doubted = this.#name;
    this.#name = newName();
  }

  /** Let all claims lapse at once. */
  async close(): Promise<void> {
    this.#stop();
    const ids = this.#names.map(({ id }) => id);
    this.#held.clear();
    this.renounce();
    await this.#link.run(LAPSE, ids).catch(() => undefined);
  }

  get #names(): readonly Name[] {
    if (this.#doubted === undefined) return [this.#name];
    return [...new Set([this.#name, this.#doubted, ...this.#held.values()])];
  }

  async #renew(): Promise<void> {
    const now = performance.now();
    for (const name of new Set(this.#held.values())) {
      // One that has lapsed is not brought back to life: others may have won since.
      if (name.untilMs <= now) continue;
      try {
        await this.#link.run(RENEW, [name.id, this.livesMs]);
        name.untilMs = Math.max(name.untilMs, now + this.livesMs);
      } catch {
        // The next time, or it lapses.
      }
    }
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function newName(): Name {
  return { id: randomBytes(9).toString('base64url'), untilMs: 0 };
}
