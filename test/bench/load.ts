/**
 * The load generator: so many connections, on each one request after the other, by hand on raw sockets; or so many streams on each.
 *
 * `node --import tsx test/bench/load.ts JSON` with a `Load`. Prints `begin` when the warm-up is over, and a `LoadResult` as JSON.
 */
import { request, STALE, type Exchange, type Done } from './client.ts';
import { openSession, requestStream } from './http2-client.ts';
import type { Http2Session } from '../../src/http2/session.ts';
import { hostName, ORIGIN_HOST } from './hosts.ts';

export interface Load {
  /** 0: no proxy, straight to the origin */
  readonly proxyPort: number;
  readonly originPort: number;
  readonly scheme: 'http' | 'https';
  readonly size: number;
  readonly connections: number;
  readonly streams: number;
  readonly keepAlive: boolean;
  readonly hosts: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** so many requests count, after half as many of warm-up, however long they take; 0: by the seconds */
  readonly requests: number;
}

export interface LoadResult {
  /** in the time that counts */
  readonly requests: number;
  /** warm-up and all; those with an error excepted */
  readonly answered: number;
  readonly seconds: number;
  /** of browsers, in that time; the latencies are theirs then */
  readonly pages?: number;
  /** of bodies */
  readonly bytes: number;
  readonly errors: number;
  /** connections opened in the time that counts; over HTTPS as many handshakes */
  readonly connects: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** of this process, in the time that counts */
  readonly cpuSeconds: number;
  /** the time that counts, by the monotonic clock */
  readonly fromUs: number;
  readonly toUs: number;
}

const load = JSON.parse(process.argv[2] ?? '{}') as Load;
const nowUs = () => Number(process.hrtime.bigint() / 1000n);
/** So that a proxy that refuses is not asked a million times. */
const AFTER_ERROR_MS = 20;
/** A proxy that has not had all hosts by then is measured by those that it had. */
const MAX_HOSTS_MS = 20_000;

let number = 0;
let answered = 0;
let errors = 0;
let connects = 0;
let times: number[] = [];
let firstError: string | undefined;

/** Names below `localhost` for many hosts, the address for one. */
function target(host: number): { host: string; path: string } {
  const path = `/${number++}`;
  return { host: load.hosts === 0 ? ORIGIN_HOST : hostName(host), path };
}

interface Lane {
  /** One request after the other until there is no next one. The connection stays open. */
  run(next: Next): Promise<void>;
}

/** @returns the host to ask, or nothing when it is over */
type Next = () => number | undefined;

function createLane(): Lane {
  let exchange: Exchange | undefined;
  let url = target(0);
  let sentMs = 0;
  let next: Next = () => undefined;
  let over: () => void;

  const send = () => {
    if (exchange === undefined || exchange.stale) connects++;
    exchange = request(load, url, exchange, answer);
  };
  const answer: Done = (error, kept) => {
    exchange = kept;
    if (error === undefined) {
      answered++;
      times.push(performance.now() - sentMs);
      step();
    } else if (error === STALE) send();
    else {
      errors++;
      firstError ??= error;
      setTimeout(step, AFTER_ERROR_MS);
    }
  };
  const step = () => {
    const host = next();
    if (host === undefined) return over();
    url = target(host);
    sentMs = performance.now();
    send();
  };
  return {
    run: (nextHost) => {
      next = nextHost;
      return new Promise((resolve) => {
        over = resolve;
        step();
      });
    },
  };
}

/** A stream after the other. */
function createStreams(session: Http2Session): Lane {
  return {
    run: (next) =>
      new Promise((over) => {
        const step = (): void => {
          const host = next();
          if (host === undefined) return over();
          const sentMs = performance.now();
          const { host: name, path } = target(host);
          requestStream(session, load, name, path, (error) => {
            if (error === undefined) {
              answered++;
              times.push(performance.now() - sentMs);
              return step();
            }
            errors++;
            firstError ??= error;
            setTimeout(step, AFTER_ERROR_MS);
          });
        };
        step();
      }),
  };
}

async function createLanes(): Promise<readonly Lane[]> {
  if (load.streams === 0) return Array.from({ length: load.connections }, createLane);
  const sessions = await Promise.all(Array.from({ length: load.connections }, () => openSession(load, ORIGIN_HOST)));
  return sessions.flatMap((session) => Array.from({ length: load.streams }, () => createStreams(session)));
}

const lanes = await createLanes();
const all = (next: Next) => Promise.all(lanes.map((lane) => lane.run(next)));

function timed(seconds: number): Promise<unknown> {
  const endMs = performance.now() + seconds * 1000;
  return all(() => (performance.now() < endMs ? 0 : undefined));
}

function counted(requests: number): Promise<unknown> {
  let left = requests;
  return all(() => (left-- > 0 ? 0 : undefined));
}

function eachHostOnce(): Promise<unknown> {
  const endMs = performance.now() + MAX_HOSTS_MS;
  let host = 0;
  return all(() => (host < load.hosts && performance.now() < endMs ? ++host : undefined));
}

await (load.requests > 0 ? counted(load.requests / 2) : timed(load.warmUpSeconds));
times = [];
connects = 0;
console.log('begin');
const cpuBefore = process.cpuUsage();
const fromUs = nowUs();
if (load.hosts > 0) await eachHostOnce();
else await (load.requests > 0 ? counted(load.requests) : timed(load.seconds));
const toUs = nowUs();
const cpu = process.cpuUsage(cpuBefore);
times.sort((a, b) => a - b);
const at = (share: number) => times[Math.floor(share * (times.length - 1))] ?? 0;
const requests = times.length;
const seconds = (toUs - fromUs) / 1e6;
const bytes = requests * load.size;
const result: LoadResult = {
  requests,
  answered,
  seconds,
  bytes,
  errors,
  connects,
  p50Ms: at(0.5),
  p99Ms: at(0.99),
  cpuSeconds: (cpu.user + cpu.system) / 1e6,
  fromUs,
  toUs,
};
if (firstError !== undefined) console.error(`first error: ${firstError}`);
console.log(JSON.stringify(result));
process.exit(0);
