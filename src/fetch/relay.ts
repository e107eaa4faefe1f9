/**
 * Two connections made one: what comes from either side goes to the other, unchanged, while somebody looks on.
 *
 * Owns both sockets. A side that cannot keep up, or the one who looks on, holds back the other; the end of one direction is passed on, and the
 * other goes on for a while.
 * Source: RFC 6455 §7.1.1 (who closes first), RFC 9293 §3.6 (half-closed connections).
 */
import type { Socket } from 'node:net';
import type { Truncation } from '../capture/capture.ts';
import type { Side } from '../capture/message-tap.ts';
import type { Upgraded } from '../http/sides.ts';
import { ifIdle } from '../util/after-reading.ts';
import { Valve } from '../util/valve.ts';

export interface RelayOptions {
  /** time without a byte either way after which both are closed; 0 is none */
  readonly idleMs: number;
  /** the same once one side has ended */
  readonly lingerMs: number;
  /** sees the bytes of each side. @returns false to be given no more before `release` */
  readonly watch: (from: Side, bytes: Buffer) => boolean;
  /** Both connections are closed. @param by who ended first. @param cut why, where it was the proxy */
  readonly onOver: (by: Side | 'proxy', cut: Truncation | undefined) => void;
}

/** Who may hold a direction back. */
const [SINK, WATCH] = [1, 2] as const;
/** A peer that has vanished is found out by the system, as no byte would. */
const KEEP_ALIVE_MS = 60_000;

export class Relay {
  readonly #options: RelayOptions;
  readonly #sockets: Readonly<Record<Side, Socket>>;
  readonly #valves: Readonly<Record<Side, Valve>> = { client: new Valve(0), origin: new Valve(0) };
  #endedBy: Side | 'proxy' | undefined;
  #cut: Truncation | undefined;
  #open = 2;

  constructor(client: Upgraded, origin: Upgraded, options: RelayOptions) {
    this.#options = options;
    this.#sockets = { client: client.socket, origin: origin.socket };
    // Bytes that have come already are the first of their side.
    this.#join('client', 'origin', client.first);
    this.#join('origin', 'client', origin.first);
  }

  /** Who looks on keeps up again. */
  release(): void {
    for (const side of ['client', 'origin'] as const) this.#let(side, WATCH);
  }

  /** Close both now. */
  cut(why: Truncation): void {
    if (this.#open === 0) return;
    this.#cut ??= why;
    this.#endedBy ??= 'proxy';
    for (const socket of Object.values(this.#sockets)) socket.destroy();
  }

  #join(from: Side, to: Side, first: Buffer): void {
    const [source, sink] = [this.#sockets[from], this.#sockets[to]];
    source.allowHalfOpen = true;
    source.setKeepAlive(true, KEEP_ALIVE_MS);
    source.setTimeout(this.#options.idleMs);
    source.on('timeout', () => ifIdle(source, () => this.cut('time')));
    source.on('error', () => this.#onEnded(from));
    source.on('end', () => {
      this.#onEnded(from);
      sink.end();
    });
    source.on('close', () => {
      this.#onEnded(from);
      // What was written still goes out.
      sink.destroySoon();
      if (--this.#open === 0) this.#options.onOver(this.#endedBy ?? from, this.#cut);
    });
    source.on('data', (bytes: Buffer) => this.#pass(from, to, bytes));
    sink.on('drain', () => this.#let(from, SINK));
    if (first.length > 0) this.#pass(from, to, first);
    if (source.destroyed) process.nextTick(() => source.emit('close'));
    else if (this.#valves[from].open) source.resume();
  }

  #pass(from: Side, to: Side, bytes: Buffer): void {
    const valve = this.#valves[from];
    const sink = this.#sockets[to];
    valve.set(SINK, sink.writable && !sink.write(bytes));
    valve.set(WATCH, !this.#options.watch(from, bytes));
    if (!valve.open) this.#sockets[from].pause();
  }

  #let(from: Side, holder: number): void {
    if (this.#valves[from].release(holder)) this.#sockets[from].resume();
  }

  #onEnded(by: Side): void {
    if (this.#endedBy !== undefined) return;
    this.#endedBy = by;
    for (const socket of Object.values(this.#sockets)) socket.setTimeout(this.#options.lingerMs);
  }
}
