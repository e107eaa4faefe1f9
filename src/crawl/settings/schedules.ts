/**
 * Schedules: which jobs are to be made, and when. That is kept here; the scheduler makes them.
 */
import { clone, isFieldSet } from '@bufbuild/protobuf';
import type { ClassicLevel } from 'classic-level';
import { Failure } from '../failure.ts';
import { hexOf, newId, readId, uuidOf } from '../ids.ts';
import { ScheduleSchema, type Schedule } from '../proto/starbelly_pb.ts';
import { timeText } from '../times.ts';
import { checkTemplate } from './job-name.ts';
import { ListChanges } from './list-changes.ts';
import { byText, Messages } from './messages.ts';

const FIELD = ScheduleSchema.field;

export interface SchedulesParts {
  readonly level: ClassicLevel;
  /** @throws Failure when there is no such policy */
  readonly policy: (id: Uint8Array) => unknown;
  /** milliseconds since 1970 */
  readonly now: () => number;
}

export class Schedules {
  readonly changes = new ListChanges<Schedule>();
  readonly #messages: Messages<typeof ScheduleSchema>;
  readonly #parts: SchedulesParts;

  private constructor(messages: Messages<typeof ScheduleSchema>, parts: SchedulesParts) {
    this.#messages = messages;
    this.#parts = parts;
  }

  static async open(parts: SchedulesParts): Promise<Schedules> {
    return new Schedules(await Messages.open(parts.level, 'schedule', ScheduleSchema), parts);
  }

  /** By name. */
  list(): Schedule[] {
    return this.#messages.all().sort(byText(({ scheduleName }) => scheduleName));
  }

  /** @throws Failure */
  get(id: Uint8Array): Schedule {
    const schedule = this.#messages.get(hexOf(readId(id)));
    if (schedule === undefined) throw new Failure(`No schedule exists with ID=${uuidOf(id)}`);
    return schedule;
  }

  /** @returns its identifier. @throws Failure */
  async add(schedule: Schedule): Promise<Uint8Array> {
    const id = newId();
    await this.#put(schedule, { scheduleId: id, createdAt: timeText(this.#parts.now()), jobCount: 0 });
    return id;
  }

  /** Everything but what is counted and when it was made. @throws Failure */
  async replace(schedule: Schedule): Promise<void> {
    const { scheduleId, createdAt, jobCount } = this.get(schedule.scheduleId);
    await this.#put(schedule, { scheduleId, createdAt, jobCount });
  }

  /** One more job was made. @throws Failure */
  async count(id: Uint8Array): Promise<void> {
    const schedule = clone(ScheduleSchema, this.get(id));
    schedule.jobCount++;
    await this.#messages.put(hexOf(id), schedule);
  }

  /** One that is not there may be deleted, too. @throws Failure */
  async delete(id: Uint8Array): Promise<void> {
    const key = hexOf(readId(id));
    const schedule = this.#messages.get(key);
    if (schedule === undefined) return;
    await this.#messages.delete(key);
    this.changes.emit('change', 'deleted', schedule);
  }

  usesPolicy(id: Uint8Array): boolean {
    return this.#messages.all().some(({ policyId }) => hexOf(policyId) === hexOf(id));
  }

  async #put(given: Schedule, kept: Pick<Schedule, 'scheduleId' | 'createdAt' | 'jobCount'>): Promise<void> {
    const schedule = this.#checked(given);
    Object.assign(schedule, kept, { updatedAt: timeText(this.#parts.now()) });
    const key = hexOf(kept.scheduleId);
    const kind = this.#messages.get(key) === undefined ? 'added' : 'updated';
    await this.#messages.put(key, schedule);
    this.changes.emit('change', kind, schedule);
  }

  /** @throws Failure */
  #checked(given: Schedule): Schedule {
    const schedule = clone(ScheduleSchema, given);
    schedule.seeds = schedule.seeds.map((seed) => seed.trim()).filter((seed) => seed !== '');
    if (schedule.seeds.length === 0) throw new Failure('Crawl schedule must have at least one seed URL.');
    const unusable = schedule.seeds.find((seed) => !/^https?:\/\//i.test(seed) || !URL.canParse(seed));
    if (unusable !== undefined) throw new Failure(`Invalid seed URL: ${unusable}`);
    schedule.tags = schedule.tags.map((tag) => tag.trim()).filter((tag) => tag !== '');
    if (!isFieldSet(schedule, FIELD.numUnits) || schedule.numUnits <= 0) throw new Failure('Time units must be positive');
    if (!isFieldSet(schedule, FIELD.timeUnit) || !isFieldSet(schedule, FIELD.timing)) throw new Failure('Invalid schedule');
    checkTemplate(schedule.jobName);
    this.#parts.policy(schedule.policyId);
    return schedule;
  }
}

/** A blank one is the name of the schedule and a number. */
export function templateOf({ jobName, scheduleName }: Schedule): string {
  return jobName.trim() === '' ? `${scheduleName.replace(/[{}]/g, '')} #{COUNT}` : jobName;
}
