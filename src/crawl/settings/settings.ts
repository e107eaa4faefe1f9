/**
 * All that clients set and jobs go by, in one database.
 */
import type { ClassicLevel } from 'classic-level';
import type { SecretBox } from '../../auth/secret-box.ts';
import { Failure } from '../failure.ts';
import { CaptchaSolvers } from './captcha-solvers.ts';
import { DomainLogins } from './domain-logins.ts';
import { Policies } from './policies.ts';
import type { ReadPattern } from './policy-rules.ts';
import { RateLimits } from './rate-limits.ts';
import { Schedules } from './schedules.ts';

export interface SettingsParts {
  readonly level: ClassicLevel;
  /** what passwords and keys of others are encrypted with */
  readonly box: SecretBox;
  readonly readPattern: ReadPattern;
  /** the form that a job has its seeds in. @throws Failure */
  readonly seed: (text: string) => string;
  /** milliseconds since 1970 */
  readonly now: () => number;
}

export class Settings {
  readonly policies: Policies;
  readonly schedules: Schedules;
  readonly rateLimits: RateLimits;
  readonly logins: DomainLogins;
  readonly solvers: CaptchaSolvers;

  private constructor(policies: Policies, schedules: Schedules, rateLimits: RateLimits, logins: DomainLogins, solvers: CaptchaSolvers) {
    this.policies = policies;
    this.schedules = schedules;
    this.rateLimits = rateLimits;
    this.logins = logins;
    this.solvers = solvers;
  }

  static async open({ level, box, readPattern, seed, now }: SettingsParts): Promise<Settings> {
    const policies = await Policies.open({ level, readPattern, now });
    return new Settings(
      policies,
      await Schedules.open({ level, policy: (id) => policies.get(id), seed, now }),
      await RateLimits.open(level),
      await DomainLogins.open(level, box),
      await CaptchaSolvers.open(level, box, now),
    );
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
