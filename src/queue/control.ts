/**
 * Holding back: whether all workers or single ones shall get URLs, and when they shall ask again.
 *
 * Source: the manager of February 2010 (`GET /worker`).
 */
import { key } from './keys.ts';
import { Refusal } from './refusal.ts';
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

/** What is kept: without what was never said. */
type Said = Omit<ControlState, 'recheck-interval'> & Partial<Pick<ControlState, 'recheck-interval'>>;

const NOTHING: Said = { all: 'resume', workers: {} };
/** As many as there may be keys. */
const MAX_WORKERS = 10_000;

export class Control {
  readonly #store: QueueStore;
  readonly #recheckInterval: number;
  #state: ControlState;

  private constructor(store: QueueStore, recheckInterval: number, said: Said) {
    this.#store = store;
    this.#recheckInterval = recheckInterval;
    this.#state = this.#stateOf(said);
  }

  /** @param recheckInterval seconds, unless it was said otherwise while running */
  static async open(store: QueueStore, recheckInterval: number): Promise<Control> {
    const said = (await store.read([key.control])).get<Said>(key.control);
    return new Control(store, recheckInterval, said ?? NOTHING);
  }

  get state(): ControlState {
    return this.#state;
  }

  of(worker: string): { readonly control: Wish; readonly 'recheck-interval': number } {
    const held = this.#state.all === 'suspend' || this.#state.workers[worker] === 'suspend';
    return { control: held ? 'suspend' : 'resume', 'recheck-interval': this.#state['recheck-interval'] };
  }

  /** @throws Refusal */
  async change(change: ControlChange): Promise<void> {
    const { worker } = change;
    const { workers } = this.#state;
    if (worker !== undefined && !Object.hasOwn(workers, worker) && Object.keys(workers).length >= MAX_WORKERS)
      throw new Refusal(409, `Something is said of ${MAX_WORKERS} workers already.`);
    const said = await this.#store.change({
      keys: [key.control],
      apply: (view) => {
        // What another call has said in the same moment is in the view.
        const next = changed(view.get<Said>(key.control) ?? NOTHING, change);
        view.set(key.control, next);
        return next;
      },
    });
    this.#state = this.#stateOf(said);
  }

  #stateOf({ all, workers, 'recheck-interval': interval = this.#recheckInterval }: Said): ControlState {
    return { all, workers, 'recheck-interval': interval };
  }
}

function changed({ all, workers, ...interval }: Said, { control, worker, recheckInterval }: ControlChange): Said {
  const others = Object.entries(workers).filter(([name]) => name !== worker);
  return {
    all: worker === undefined ? (control ?? all) : all,
    workers: worker === undefined || control === undefined ? workers : Object.fromEntries([...others, [worker, control]]),
    ...interval,
    ...(recheckInterval === undefined ? {} : { 'recheck-interval': recheckInterval }),
  };
}
