/** What asks the proxies of a run: clients that take what comes to them at random, and one that counts how far a limit lets it go. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as passed } from 'node:timers/promises';
import { metaLine } from '../../support/api.ts';
import { RawClient } from '../../support/client.ts';
import { get } from '../../support/messages.ts';
import type { Machine } from './machine.ts';
import type { Kill, LimitRow, Line } from './seen.ts';

export interface Load {
  readonly lines: readonly Line[];
  readonly answered: ReadonlyMap<string, number>;
  readonly limits: readonly LimitRow[];
  /** ms since the last answer */
  readonly quietMs: number;
  /** the longest time that nothing was looked at here */
  readonly lagMs: number;
  /** Resolves when every client has gone; those that wait for an answer are cut after a while. */
  end(): Promise<void>;
}

export interface LoadOptions {
  readonly machines: readonly Machine[];
  readonly kills: readonly Kill[];
  readonly clients: number;
  /** between two requests of a client */
  readonly paceMs: number;
  readonly random: () => number;
}

const LIMIT = 5;
const CUT_MS = 60_000;
const AFTER_CUT_MS = 20;

/** An origin whose body is the key of the path: the same for all that end alike. */
async function startOrigin() {
  const server = createServer({ keepAliveTimeout: 60_000 }, ({ url = '' }, response) => {
    const key = Number(url.slice(url.lastIndexOf('k') + 1));
    response.end(`${key} `.padEnd(key % 211 === 0 ? 300_000 : 200 + ((key * 37) % 1500), 'all work and no play. '));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

export async function startLoad({ machines, kills, clients, paceMs, random }: LoadOptions): Promise<Load> {
  const origin = await startOrigin();
  const delay = monitorEventLoopDelay();
  delay.enable();
  const lines: Line[] = [];
  const answered = new Map<string, number>();
  const limits: LimitRow[] = [];
  const open = new Set<RawClient>();
  let number = 0;
  let over = false;
  let cutting = false;
  let lastMs = performance.now();

  // Half of all requests are for what others ask for at the same time, so that many have it under way together, on all machines.
  const nextUrl = () => {
    const key = Math.floor(number / 24) * 12 + (number % 2 === 0 ? number % 12 : 0);
    return `${origin.url}/n${number++}k${key}`;
  };
  const client = async (nth: number) => {
    while (!over) {
      const machine = machines[nth % machines.length];
      if (machine === undefined || machine.port === 0) {
        await passed(AFTER_CUT_MS);
        continue;
      }
      const line: Line = { machine: machine.number, urls: [], sentMs: performance.now(), endedMs: undefined };
      lines.push(line);
      let connection: RawClient | undefined;
      try {
        connection = await RawClient.connect(machine.port);
        open.add(connection);
        // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- it changes while this waits
        while (!over) {
          const url = nextUrl();
          line.urls.push(url);
          const sentMs = performance.now();
          connection.send(get(url));
          const { status } = await connection.response();
          line.sentMs = sentMs;
          lastMs = performance.now();
          if (status === 200) answered.set(url, lastMs);
          if (paceMs > 0) await passed(paceMs * 2 * random());
        }
      } catch {
        line.endedMs = performance.now();
        line.left = cutting;
        await passed(AFTER_CUT_MS);
      } finally {
        connection?.[Symbol.dispose]();
        if (connection !== undefined) open.delete(connection);
      }
    }
  };

  /** One request more than the limit, each over a connection of its own. @returns undefined where it could not be told */
  const limitRow = async (row: number): Promise<LimitRow | undefined> => {
    const before = kills.length;
    const meta = metaLine({ stats: { buckets: [`row-${row}`] }, limits: { [`row-${row}/total/urls`]: LIMIT } });
    let count = 0;
    for (let nth = 0; nth <= LIMIT; nth++) {
      using connection = await RawClient.connect(machines[0]?.port ?? 0);
      const url = nextUrl();
      const sentMs = performance.now();
      connection.send(get(url, meta.toString('latin1')));
      const { status } = await connection.response();
      if (status === 200) {
        answered.set(url, performance.now());
        lines.push({ machine: machines[0]?.number ?? 0, urls: [url], sentMs, endedMs: undefined });
        count++;
      } else if (status !== 420) return undefined;
    }
    return kills.length === before ? { limit: LIMIT, passed: count } : undefined;
  };
  const counting = async () => {
    for (let row = 0; !over; row++) {
      const seen = await limitRow(row).catch(() => undefined);
      if (seen !== undefined) limits.push(seen);
      await passed(100);
    }
  };

  const all = [...Array.from({ length: clients }, (_, nth) => client(nth)), counting()];
  return {
    lines,
    answered,
    limits,
    get quietMs() {
      return performance.now() - lastMs;
    },
    get lagMs() {
      return Math.round(delay.max / 1e6);
    },
    async end() {
      over = true;
      const timer = setTimeout(() => {
        cutting = true;
        for (const { socket } of open) socket.destroy();
      }, CUT_MS);
      await Promise.all(all);
      clearTimeout(timer);
      delay.disable();
      origin.server.closeAllConnections();
      origin.server.close();
    },
  };
}
