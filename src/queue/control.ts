/**
 * Holding back: whether all workers or single ones shall get URLs, and when they shall ask again.
 *
 * Source: the manager of February 2010 (`GET /worker`).
 */
import { key } from './keys.ts';
import type { QueueStore } from './store.ts';

export type Wish = 'resume' | 'suspend';

export interface ControlState {
  readonly all: Wish;
  /** those that are said something of */
  readonly workers: Readonly<Record<string, Wish>>;
  /** seconds */
  readonly 'recheck-interval': number;
}

export interface ControlChange {
  readonly control?: Wish;
  /** undefined: all */
  readonly worker?: string;
  readonly recheckInterval?: number;
}

export class Control {
  readonly #store: QueueStore;
  #state: ControlState;

  private constructor(store: QueueStore, state: ControlState) {
    this.#store = store;
    this.#state = state;
  }

  /** @param recheckInterval seconds, unless it was said otherwise while running */
  static async open(store: QueueStore, recheckInterval: number): Promise<Control> {
    const kept = (await store.read([key.control])).get<ControlState>(key.control);
    return new Control(store, kept ?? { all: 'resume', workers: {}, 'recheck-interval': recheckInterval });
  }

  get state(): ControlState {
    return this.#state;
  }

  of(worker: string): { readonly control: Wish; readonly 'recheck-interval': number } {
    const held = this.#state.all === 'suspend' || this.#state.workers[worker] === 'suspend';
    return { control: held ? 'suspend' : 'resume', 'recheck-interval': this.#state['recheck-interval'] };
  }

  async change({ control, worker, recheckInterval }: ControlChange): Promise<void> {
    const apply = (before: ControlState): ControlState => ({
      all: worker === undefined ? (control ?? before.all) : before.all,
      workers:
        worker === undefined || control === undefined
          ? before.workers
          : Object.fromEntries([...Object.entries(before.workers).filter(([name]) => name !== worker), [worker, control]]),
      'recheck-interval': recheckInterval ?? before['recheck-interval'],
    });
    await this.#store.change({ keys: [], apply: (view) => view.set(key.control, apply(this.#state)) });
    this.#state = apply(this.#state);
  }
}
