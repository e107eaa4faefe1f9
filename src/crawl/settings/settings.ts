/**
 * All that clients set and jobs go by, in one database.
 */
import type { ClassicLevel } from 'classic-level';
import type { SecretBox } from '../../auth/secret-box.ts';
import { createRegexes } from '../../regex/regex.ts';
import { Failure } from '../failure.ts';
import { CaptchaSolvers } from './captcha-solvers.ts';
import { DomainLogins } from './domain-logins.ts';
import { Policies } from './policies.ts';
import { RateLimits } from './rate-limits.ts';
import { Schedules } from './schedules.ts';

export interface SettingsParts {
  readonly level: ClassicLevel;
  /** what passwords and keys of others are encrypted with */
  readonly box: SecretBox;
  /** milliseconds since 1970 */
  readonly now: () => number;
}

export class Settings {
  readonly policies: Policies;
  readonly schedules: Schedules;
  readonly rateLimits: RateLimits;
  readonly logins: DomainLogins;
  readonly solvers: CaptchaSolvers;

  constructor(parts: Pick<Settings, 'policies' | 'schedules' | 'rateLimits' | 'logins' | 'solvers'>) {
    this.policies = parts.policies;
    this.schedules = parts.schedules;
    this.rateLimits = parts.rateLimits;
    this.logins = parts.logins;
    this.solvers = parts.solvers;
  }

  /** @throws Failure when a schedule needs it */
  async deletePolicy(id: Uint8Array): Promise<void> {
    if (this.schedules.usesPolicy(id)) throw new Failure('Cannot delete policy because it is being used by a schedule.');
    await this.policies.delete(id);
  }

  /** @throws Failure when a policy needs it */
  async deleteSolver(id: Uint8Array): Promise<void> {
    if (this.policies.usesSolver(id)) throw new Failure('Cannot delete CAPTCHA solver because it is being used by a policy.');
    await this.solvers.delete(id);
  }
}

export async function openSettings({ level, box, now }: SettingsParts): Promise<Settings> {
  const regexes = createRegexes();
  // Hosts come into a pattern where it is used: any will do to see whether it can be read.
  const readPattern = (pattern: string) => regexes.read(pattern.replaceAll('{SEED_DOMAINS}', 'localhost'), 'start');
  const policies = await Policies.open({ level, readPattern, now });
  return new Settings({
    policies,
    schedules: await Schedules.open({ level, policy: (id) => policies.get(id), now }),
    rateLimits: await RateLimits.open(level),
    logins: await DomainLogins.open(level, box),
    solvers: await CaptchaSolvers.open(level, box, now),
  });
}
