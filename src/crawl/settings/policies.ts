/**
 * Policies: what jobs may fetch, and how. A job has its own copy, so that no change here changes it.
 */
import { clone, create } from '@bufbuild/protobuf';
import type { ClassicLevel } from 'classic-level';
import { Failure } from '../failure.ts';
import { hexOf, newId, readId, uuidOf } from '../ids.ts';
import { PolicySchema, type Policy } from '../proto/starbelly_pb.ts';
import { timeText } from '../times.ts';
import { BUILT_IN_POLICIES } from './built-in.ts';
import { ListChanges } from './list-changes.ts';
import { byText, Messages } from './messages.ts';
import { checkPolicy, type ReadPattern } from './policy-rules.ts';

export interface PoliciesParts {
  readonly level: ClassicLevel;
  readonly readPattern: ReadPattern;
  /** milliseconds since 1970 */
  readonly now: () => number;
}

export class Policies {
  readonly changes = new ListChanges<Policy>();
  readonly #messages: Messages<typeof PolicySchema>;
  readonly #readPattern: ReadPattern;
  readonly #now: () => number;

  private constructor(messages: Messages<typeof PolicySchema>, { readPattern, now }: PoliciesParts) {
    this.#messages = messages;
    this.#readPattern = readPattern;
    this.#now = now;
  }

  /** The built-in ones are made where there are none. */
  static async open(parts: PoliciesParts): Promise<Policies> {
    const policies = new Policies(await Messages.open(parts.level, 'policy', PolicySchema), parts);
    if (policies.#messages.size === 0) for (const each of BUILT_IN_POLICIES) await policies.add(create(PolicySchema, each));
    return policies;
  }

  /** By name. */
  list(): Policy[] {
    return this.#messages.all().sort(byText(({ name }) => name));
  }

  /** @throws Failure */
  get(id: Uint8Array): Policy {
    const policy = this.#messages.get(hexOf(readId(id)));
    if (policy === undefined) throw new Failure(`No policy exists with ID=${uuidOf(id)}`);
    return policy;
  }

  /** Whether it could be kept. @throws Failure that says why not */
  check(policy: Policy): void {
    checkPolicy(policy, this.#readPattern);
    if (policy.captchaSolverId.length > 0) readId(policy.captchaSolverId);
  }

  /** @returns its identifier. @throws Failure */
  async add(policy: Policy): Promise<Uint8Array> {
    const id = newId();
    await this.#put(policy, id, timeText(this.#now()));
    return id;
  }

  /** The whole policy is replaced. @throws Failure */
  async replace(policy: Policy): Promise<void> {
    const { createdAt } = this.get(policy.policyId);
    await this.#put(policy, policy.policyId, createdAt);
  }

  /** One that is not there may be deleted, too. @throws Failure */
  async delete(id: Uint8Array): Promise<void> {
    const key = hexOf(readId(id));
    const policy = this.#messages.get(key);
    if (policy === undefined) return;
    await this.#messages.delete(key);
    this.changes.emit('change', 'deleted', policy);
  }

  usesSolver(id: Uint8Array): boolean {
    return this.#messages.all().some(({ captchaSolverId }) => hexOf(captchaSolverId) === hexOf(id));
  }

  async #put(given: Policy, policyId: Uint8Array, createdAt: string): Promise<void> {
    this.check(given);
    const policy = clone(PolicySchema, given);
    Object.assign(policy, { policyId, createdAt, updatedAt: timeText(this.#now()) });
    const key = hexOf(policyId);
    const kind = this.#messages.get(key) === undefined ? 'added' : 'updated';
    await this.#messages.put(key, policy);
    this.changes.emit('change', kind, policy);
  }
}
