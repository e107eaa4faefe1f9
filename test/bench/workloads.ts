/**
 * The workloads: what is asked for, over how many connections, and by which proxies a run has it measured.
 */
import { availableParallelism } from 'node:os';

export type BodyKind = 'random' | 'text' | 'same';

export interface Workload {
  readonly name: string;
  readonly scheme: 'http' | 'https';
  /** random: incompressible; text: HTML-like. Both differ from request to request; same: one random body over and over */
  readonly body: BodyKind;
  /** bytes of a body */
  readonly size: number;
  readonly gzip: boolean;
  readonly connections: number;
  /** requests at once on each connection, by HTTP/2; 0: HTTP/1.1, one after the other */
  readonly streams: number;
  /** false: one connection for each request */
  readonly keepAlive: boolean;
  /** 0: one host, for as long as the run takes; otherwise one request to each of so many hosts */
  readonly hosts: number;
  /** so many browsers load pages of many hosts, sizes and types (web/page.ts); 0: none. What is said of bodies and connections is not for them */
  readonly browsers: number;
  /** entries in the index of deduplication before the run; for ourselves only */
  readonly stored: number;
  /** what counts goes on until all is written and the proxy has ended, from its first request on: some answer long before they write */
  readonly untilWritten: boolean;
  /** the proxy has all cores, not one */
  readonly allCores: boolean;
  /** processes of the proxy that have its traffic; 0: nothing is said of it; for ourselves only */
  readonly workers: number | 'auto';
  /** deduplication and statistics are on a Valkey or Redis of this machine; for ourselves only */
  readonly store: boolean;
  /** measured only where `--only` names it */
  readonly apart: boolean;
  /** measured in every run, when `--peers` says nothing else */
  readonly peers: readonly string[];
  /** measured in the first run only: no target needs them */
  readonly once: readonly string[];
}

const base = {
  scheme: 'https',
  body: 'random',
  size: 1000,
  gzip: true,
  connections: 16,
  streams: 0,
  keepAlive: true,
  hosts: 0,
  browsers: 0,
  stored: 0,
  untilWritten: false,
  allCores: false,
  workers: 0,
  store: false,
  apart: false,
  peers: [],
  once: [],
} as const;

const large = {
  ...base,
  scheme: 'http',
  gzip: false,
  size: 10_000_000,
  untilWritten: true,
  peers: ['warcprox', 'http-mitm-proxy'],
  once: ['relay', 'relay and SHA-1 twice'],
} as const;

const LIMITS = ['direct', 'relay', 'gzip alone'];
const OPENS_TLS = 'relay that opens TLS';
const RECORDERS = ['pywb', 'jwarc'];

/** `auto` are two where there are two cores. */
const WORKERS = availableParallelism() > 2 ? ([1, 2, 'auto'] as const) : ([1, 2] as const);

/** What many processes do, by how many connections; then the same with the store that many machines share. */
const MANY: readonly Workload[] = [
  ...[16, 256, 2000].flatMap((connections) => WORKERS.map((workers) => many(workers, connections, false))),
  ...([1, 2] as const).map((workers) => many(workers, 16, true)),
];

export const WORKLOADS: readonly Workload[] = [
  ...[1, 6, 100].map(pages),
  { ...base, name: '1 kB unique, https, gzip', peers: ['warcprox'], once: [...LIMITS, OPENS_TLS, ...RECORDERS] },
  { ...base, name: '1 kB unique, http, gzip', scheme: 'http', peers: ['warcprox'], once: [...LIMITS, ...RECORDERS] },
  { ...base, name: '1 kB unique, https', gzip: false, peers: ['http-mitm-proxy'], once: ['mitmproxy'] },
  { ...base, name: '1 kB unique, http', scheme: 'http', gzip: false, peers: ['http-mitm-proxy'], once: ['mitmproxy'] },
  { ...base, name: '1 kB unique text, https, gzip', body: 'text' },
  { ...base, name: '50 kB over and over, https, gzip', body: 'same', size: 50_000, peers: ['warcprox'] },
  { ...base, name: '50 kB unique text, https, gzip', body: 'text', size: 50_000, once: ['gzip alone'] },
  { ...large, name: '10 MB unique, http' },
  { ...base, name: '1,000 hosts once each, https, gzip', hosts: 1000, keepAlive: false, peers: ['http-mitm-proxy'] },
  { ...base, name: '1 kB unique, HTTP/2, 16 streams, gzip', connections: 1, streams: 16, once: ['mitmproxy', OPENS_TLS] },
  { ...base, name: '1 kB unique, HTTP/2, 100 streams, gzip', connections: 1, streams: 100, once: ['mitmproxy', OPENS_TLS] },
  { ...base, name: '256 connections, 1 kB unique, https, gzip', connections: 256 },
  { ...base, name: 'a connection per request, 1 kB unique, https, gzip', keepAlive: false },
  { ...base, name: 'a connection per request, 1 kB unique, http, gzip', keepAlive: false, scheme: 'http' },
  { ...base, name: '2,000,000 in the index, 1 kB unique, http, gzip', scheme: 'http', stored: 2_000_000 },
  { ...base, name: 'all cores, 1 kB unique, https, gzip', allCores: true },
  { ...large, name: 'all cores, 10 MB unique, http', allCores: true },
  ...MANY,
];

function many(workers: 1 | 2 | 'auto', connections: number, store: boolean): Workload {
  const name = `workers: ${workers}, connections: ${connections}${store ? ', Valkey' : ''}`;
  return { ...base, name, connections, workers, store, allCores: true, apart: true };
}

/** As the web is. */
function pages(browsers: number): Workload {
  const who = browsers === 1 ? '1 browser' : `${browsers} browsers`;
  return {
    ...base,
    name: `pages of the web, ${who}, https, gzip`,
    size: 0,
    browsers,
    connections: browsers,
    peers: ['warcprox'],
    once: ['mitmproxy', 'http-mitm-proxy', ...RECORDERS],
  };
}
