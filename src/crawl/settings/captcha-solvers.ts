/**
 * CAPTCHA solvers: services that read an image for a login. Their keys are encrypted in the database; clients get them in clear.
 */
import { clone } from '@bufbuild/protobuf';
import type { ClassicLevel } from 'classic-level';
import type { SecretBox } from '../../auth/secret-box.ts';
import { Failure } from '../failure.ts';
import { hexOf, newId, readId } from '../ids.ts';
import type { Solvers } from '../jobs/types.ts';
import { CaptchaSolverSchema, type CaptchaSolver } from '../proto/starbelly_pb.ts';
import { timeText } from '../times.ts';
import { byText, Messages } from './messages.ts';

const UNKNOWN = 'No CAPTCHA solver found for that ID';

export class CaptchaSolvers implements Solvers {
  readonly #messages: Messages<typeof CaptchaSolverSchema>;
  readonly #box: SecretBox;
  readonly #now: () => number;

  private constructor(messages: Messages<typeof CaptchaSolverSchema>, box: SecretBox, now: () => number) {
    this.#messages = messages;
    this.#box = box;
    this.#now = now;
  }

  static async open(level: ClassicLevel, box: SecretBox, now: () => number): Promise<CaptchaSolvers> {
    return new CaptchaSolvers(await Messages.open(level, 'solver', CaptchaSolverSchema), box, now);
  }

  /** By name. @throws KeyFileError */
  list(): CaptchaSolver[] {
    return this.#messages
      .all()
      .sort(byText(({ name }) => name))
      .map((solver) => this.#opened(solver));
  }

  /** @throws Failure, KeyFileError */
  get(id: Uint8Array): CaptchaSolver {
    return this.#opened(this.#known(id));
  }

  /** @throws KeyFileError */
  solverOf(id: Uint8Array): CaptchaSolver | undefined {
    const solver = this.#messages.get(hexOf(id));
    return solver && this.#opened(solver);
  }

  /** @returns its identifier. @throws Failure */
  async add(solver: CaptchaSolver): Promise<Uint8Array> {
    const id = newId();
    await this.#put(solver, id, timeText(this.#now()));
    return id;
  }

  /** @throws Failure */
  async replace(solver: CaptchaSolver): Promise<void> {
    await this.#put(solver, solver.solverId, this.#known(solver.solverId).createdAt);
  }

  /** One that is not there may be deleted, too. @throws Failure */
  async delete(id: Uint8Array): Promise<void> {
    await this.#messages.delete(hexOf(readId(id)));
  }

  #known(id: Uint8Array): CaptchaSolver {
    const solver = this.#messages.get(hexOf(readId(id)));
    if (solver === undefined) throw new Failure(UNKNOWN);
    return solver;
  }

  async #put(given: CaptchaSolver, solverId: Uint8Array, createdAt: string): Promise<void> {
    if (given.name.trim() === '') throw new Failure('Name is required.');
    if (given.SolverType.case === undefined) throw new Failure('Unknown CAPTCHA solver type (None)');
    const solver = clone(CaptchaSolverSchema, given);
    Object.assign(solver, { solverId, createdAt, updatedAt: timeText(this.#now()) });
    await this.#messages.put(
      hexOf(solverId),
      withKey(solver, (key) => this.#box.seal(hexOf(solverId), key)),
    );
  }

  #opened(solver: CaptchaSolver): CaptchaSolver {
    return withKey(clone(CaptchaSolverSchema, solver), (key) => this.#box.open(hexOf(solver.solverId), key));
  }
}

function withKey(solver: CaptchaSolver, change: (key: string) => string): CaptchaSolver {
  const antigate = solver.SolverType.value;
  if (antigate !== undefined && Object.hasOwn(antigate, 'apiKey')) antigate.apiKey = change(antigate.apiKey);
  return solver;
}
