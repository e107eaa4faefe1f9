/**
 * A queue that is open: its parts, put together over one database, and closed in order.
 */
import type { ClassicLevel } from 'classic-level';
import type { Log } from '../util/log.ts';
import { allInOrder } from '../util/thrown.ts';
import { Access } from './access.ts';
import { Activity } from './activity.ts';
import type { Clock } from './clock.ts';
import { Control } from './control.ts';
import { Events } from './events.ts';
import { Frontier } from './frontier.ts';
import type { Rules } from './life.ts';
import { Recent } from './recent.ts';
import { QueueStore } from './store.ts';

export interface QueueParts {
  readonly level: ClassicLevel;
  readonly sync: boolean;
  readonly rules: Rules;
  readonly adminKey: string;
  readonly hashKeys: boolean;
  /** seconds */
  readonly recheckInterval: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Queue {
  readonly store: QueueStore;
  readonly frontier: Frontier;
  readonly access: Access;
  readonly control: Control;
  readonly activity: Activity;
  readonly recent: Recent;
  readonly events: Events;
  readonly clock: Clock;
  /** Wait for what is being written, and write what is not yet. */
  close(): Promise<void>;
}

export async function openQueue({ level, sync, rules, adminKey, hashKeys, recheckInterval, clock, log }: QueueParts): Promise<Queue> {
  const store = await QueueStore.open(level, sync);
  const onWeak = (name: string) => log.warn({ name }, 'this key is weak: it has less than 16 characters');
  const access = await Access.open({ store, adminKey, hashed: hashKeys, onWeak });
  const control = await Control.open(store, recheckInterval);
  const activity = await Activity.open(store, clock, log);
  const frontier = new Frontier({ store, rules, clock, log });
  frontier.start();
  return {
    store,
    frontier,
    access,
    control,
    activity,
    recent: new Recent(clock),
    events: new Events(activity.startedMs),
    clock,
    async close() {
      frontier.close();
      await allInOrder([() => activity.close(), () => store.settled()]);
    },
  };
}
