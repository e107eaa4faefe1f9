/**
 * Reads both directions of a WebSocket beside whoever passes the bytes on, and writes its messages to a log, in the order in which they ended.
 *
 * Never changes a byte. What it cannot read is told of and marked, and the bytes go on. Holds one message of each direction, in memory or in a
 * temporary file, and never more of it than the log has room for, inflated or not.
 */
import { reasonOf } from '../util/thrown.ts';
import type { Deflate } from '../http/websocket.ts';
import type { CloseStatus } from '../websocket/messages.ts';
import type { RecordedMessages } from './capture.ts';
import { Drains } from './drains.ts';
import { MessageLog, type Closed } from './message-log.ts';
import type { RecordingOptions } from './recorder.ts';
import { TapSide, type Step } from './tap-side.ts';

export type Side = 'client' | 'origin';

export interface TapOptions {
  readonly recording: RecordingOptions;
  /** of the log; Infinity is no limit */
  readonly maxBytes: number;
  /** as client and origin agreed; undefined where messages are not compressed */
  readonly deflate: Deflate | undefined;
  /** milliseconds since the 101 */
  readonly nowMs: () => number;
  /** it keeps up again */
  readonly onDrain: () => void;
  /** told once of what it cannot read */
  readonly onFailure: (reason: string) => void;
}

/** Small frames come by the ten thousand in one read: others have a turn between them. */
const STEPS_IN_A_ROW = 1000;
/** The connection ended without a close frame (RFC 6455 §7.1.5). */
const ABNORMAL = 1006;

export class MessageTap {
  readonly #options: TapOptions;
  readonly #drains = new Drains();
  readonly #log: MessageLog;
  readonly #sides: Readonly<Record<Side, TapSide>>;
  #steps: { readonly side: TapSide; readonly take: Step }[] = [];
  #next = 0;
  #running = false;
  #onIdle: (() => void) | undefined;
  #error: string | undefined;
  #firstClose: (CloseStatus & { readonly by: Side }) | undefined;

  constructor(options: TapOptions) {
    const { recording, maxBytes, deflate } = options;
    this.#options = options;
    this.#log = new MessageLog(recording, maxBytes, this.#drains);
    this.#sides = { client: this.#side('client', deflate?.clientKeepsContext), origin: this.#side('origin', deflate?.serverKeepsContext) };
  }

  /** Bytes that have come from there. @returns false when it is behind: `onDrain` is called when it is not any more */
  take(from: Side, bytes: Buffer): boolean {
    const side = this.#sides[from];
    try {
      side.read(bytes);
    } catch (error) {
      this.#steps.push({ side, take: () => this.#fail(side, error) });
    }
    if (!this.#running) this.#running = this.#run();
    return !this.#running;
  }

  /** Nothing more comes. @returns the log, once all that has come is in it */
  async finish(atMs: number, by: Closed['by']): Promise<RecordedMessages> {
    this.#drains.hurry();
    if (this.#running) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    const sides = Object.values(this.#sides);
    for (const side of sides) side.release();
    const { code, reason, by: closer } = this.#firstClose ?? { code: ABNORMAL, reason: '', by };
    return this.#log.finish({ atMs, code, reason, wasClean: sides.every(({ closed }) => closed), by: closer, error: this.#error });
  }

  #side(name: Side, keepsContext: boolean | undefined): TapSide {
    const side: TapSide = new TapSide({
      log: this.#log,
      spool: this.#options.recording.spool,
      drains: this.#drains,
      type: name === 'client' ? 'sent' : 'received',
      keepsContext,
      nowMs: this.#options.nowMs,
      onStep: (take) => this.#steps.push({ side, take }),
      onClose: (status) => (this.#firstClose ??= { ...status, by: name }),
    });
    return side;
  }

  /** @returns true when it has to wait for a step before it takes the next */
  #run(): boolean {
    for (let taken = 1; this.#next < this.#steps.length; taken++) {
      const step = this.#steps[this.#next++];
      const late = step && this.#taken(step.side, step.take);
      const waiting = late ?? this.#log.drained() ?? (taken % STEPS_IN_A_ROW === 0 ? turn() : undefined);
      if (waiting === undefined) continue;
      void waiting.then(() => this.#goOn());
      return true;
    }
    this.#steps = [];
    this.#next = 0;
    return false;
  }

  /** Never throws, nor rejects. */
  #taken(side: TapSide, step: Step): Promise<void> | undefined {
    try {
      return step()?.catch((error: unknown) => this.#fail(side, error));
    } catch (error) {
      return this.#fail(side, error);
    }
  }

  #goOn(): void {
    this.#running = this.#run();
    if (this.#running) return;
    this.#onIdle?.();
    this.#options.onDrain();
  }

  #fail(side: TapSide, error: unknown): undefined {
    side.release();
    this.#log.mark('unspecified');
    if (this.#error !== undefined) return;
    this.#error = reasonOf(error);
    this.#options.onFailure(this.#error);
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
