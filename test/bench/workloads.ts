/**
 * The workloads: what is asked for, over how many connections, and by which proxies a run has it measured.
 */
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
  /** entries in the index of deduplication before the run; for ourselves only */
  readonly stored: number;
  /** the proxy has all cores, not one */
  readonly allCores: boolean;
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
  stored: 0,
  allCores: false,
  peers: [],
  once: [],
} as const;

const LIMITS = ['direct', 'relay', 'gzip alone'];
const OPENS_TLS = 'relay that opens TLS';
const RECORDERS = ['pywb', 'jwarc'];

export const WORKLOADS: readonly Workload[] = [
  { ...base, name: '1 kB unique, https, gzip', peers: ['warcprox'], once: [...LIMITS, OPENS_TLS, ...RECORDERS] },
  { ...base, name: '1 kB unique, http, gzip', scheme: 'http', peers: ['warcprox'], once: [...LIMITS, ...RECORDERS] },
  { ...base, name: '1 kB unique, https', gzip: false, peers: ['http-mitm-proxy'], once: ['mitmproxy'] },
  { ...base, name: '1 kB unique, http', scheme: 'http', gzip: false, peers: ['http-mitm-proxy'], once: ['mitmproxy'] },
  { ...base, name: '1 kB unique text, https, gzip', body: 'text' },
  { ...base, name: '50 kB over and over, https, gzip', body: 'same', size: 50_000, peers: ['warcprox'] },
  { ...base, name: '50 kB unique text, https, gzip', body: 'text', size: 50_000, once: ['gzip alone'] },
  {
    ...base,
    name: '10 MB unique, http',
    scheme: 'http',
    gzip: false,
    size: 10_000_000,
    peers: ['http-mitm-proxy'],
    once: ['relay', 'relay and SHA-1 twice'],
  },
  { ...base, name: '1,000 hosts once each, https, gzip', hosts: 1000, keepAlive: false, peers: ['http-mitm-proxy'] },
  { ...base, name: '1 kB unique, HTTP/2, 16 streams, gzip', connections: 1, streams: 16, once: ['mitmproxy', OPENS_TLS] },
  { ...base, name: '1 kB unique, HTTP/2, 100 streams, gzip', connections: 1, streams: 100, once: ['mitmproxy', OPENS_TLS] },
  { ...base, name: '256 connections, 1 kB unique, https, gzip', connections: 256 },
  { ...base, name: 'a connection per request, 1 kB unique, https, gzip', keepAlive: false },
  { ...base, name: 'a connection per request, 1 kB unique, http, gzip', keepAlive: false, scheme: 'http' },
  { ...base, name: '2,000,000 in the index, 1 kB unique, http, gzip', scheme: 'http', stored: 2_000_000 },
  { ...base, name: 'all cores, 1 kB unique, https, gzip', allCores: true },
];
