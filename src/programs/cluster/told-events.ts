/**
 * The last captures of one worker, as the primary process hears of them: only when somebody looks, so that they cost nothing otherwise.
 */
import type { CaptureEvent } from '../../web/captures/event.ts';
import type { Recent } from '../../web/captures/recent.ts';
import type { Wire } from '../../util/wire.ts';
import { Asked } from './asked.ts';

/** Some of them, in their order. */
export interface EventsForm {
  /** what has gone before it was asked for */
  readonly gone: number;
  readonly events: readonly CaptureEvent[];
  readonly more: boolean;
}

/** About a megabyte. */
const MAX_AT_ONCE = 1000;

/** In the worker. @param from number of the first that is wanted */
export function eventsFrom(recent: Recent, from: number): EventsForm {
  const events: CaptureEvent[] = [];
  const first = Math.max(from, recent.first);
  let id = first;
  for (; id < recent.next && events.length < MAX_AT_ONCE; id++) {
    const event = recent.get(id);
    if (event !== undefined) events.push(event);
  }
  return { gone: first - from, events, more: id < recent.next };
}

/** In the primary process. */
export class ToldEvents {
  readonly #asked: Asked<void>;
  #next = 1;
  #gone = 0;
  #heard: CaptureEvent[] = [];

  constructor(wire: Wire) {
    this.#asked = new Asked(async () => {
      for (let more = true; more;) {
        const { gone, events, more: further } = (await wire.call('events', this.#next)) as EventsForm;
        this.#next += gone + events.length;
        this.#gone += gone;
        this.#heard.push(...events);
        more = further;
      }
    });
  }

  /** Resolves once all that it had when this was called is here, or it has been silent for too long. */
  async fetch(): Promise<void> {
    await this.#asked.inTime();
  }

  /** @returns what was heard and not taken yet, and how many have gone unheard before that */
  take(): { readonly gone: number; readonly events: readonly CaptureEvent[] } {
    const taken = { gone: this.#gone, events: this.#heard };
    this.#gone = 0;
    this.#heard = [];
    return taken;
  }

  /** It will say nothing more. @param count of all that there were */
  end(count: number): void {
    this.#gone += Math.max(0, count - (this.#next - 1));
    this.#next = Math.max(this.#next, count + 1);
  }
}

/** Put what all of them have told where everybody looks, by the time that each capture ended. */
export function gather(all: readonly ToldEvents[], recent: Recent): void {
  const told = all.map((each) => each.take());
  const gone = told.reduce((sum, each) => sum + each.gone, 0);
  if (gone > 0) recent.skip(gone);
  const events = told.flatMap((each) => each.events.map((event) => ({ event, endedMs: Date.parse(event.time) + event.duration })));
  // Stable: those that ended in the same millisecond stay as their worker had them.
  for (const { event } of events.sort((one, other) => one.endedMs - other.endedMs)) recent.put(event);
}
