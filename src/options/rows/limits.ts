/** Bounds of time, number and size. */
import { oneOf, seconds, size, wholeNumber } from '../kinds.ts';
import { group, without, type Resolved } from '../row.ts';

/** Of a proxy with its clients. */
export const LIMIT_ROWS = group('Limits', {
  maxThreads: {
    argument: 'N',
    kind: wholeNumber(1),
    default: 1000,
    summary: 'exchanges in progress at once; further ones wait',
  },
  maxConnections: {
    argument: 'N',
    kind: wholeNumber(1),
    default: 10_000,
    summary: 'client connections open at once, idle ones included',
  },
  queueSize: { argument: 'N', kind: wholeNumber(1), default: 500, summary: 'captures that may wait to be written' },
  socketTimeout: {
    argument: 'TIME',
    kind: seconds('above zero'),
    default: 60,
    summary: 'time without a byte after which a connection is given up',
  },
  headTimeout: {
    argument: 'TIME',
    kind: seconds('above zero'),
    default: 60,
    summary: 'time that a client may take for the head of a request, or for a TLS handshake',
  },
  minRate: {
    argument: 'SIZE',
    kind: size(0, 'bytes per second'),
    default: 10,
    summary:
      'bytes per second, as an average over --socket-timeout, below which a body that comes, or an answer that its client takes, is given up; 0: no minimum',
  },
  fetchTimeout: {
    argument: 'TIME',
    kind: seconds('zero allowed'),
    default: 1800,
    summary: 'time that one fetch may take in all; 0: no limit',
  },
  minFreeSpace: {
    argument: 'SIZE',
    kind: size(),
    defaultText: '1G, or 5% of a disk below 20G',
    summary: 'room to be left on the disks of --dir and of temporary files, with less of it requests are answered 503; 0: no check',
  },
  maxSpool: {
    argument: 'SIZE',
    kind: size(),
    defaultText: 'a tenth of what is free',
    summary: 'what all temporary files together may take; past it the largest body that still comes ends; 0: no limit',
  },
  finishAbandoned: {
    argument: 'WHICH',
    kind: oneOf('small', 'always', 'never'),
    default: 'small',
    summary: 'downloads that go on once their client has left: small (little is to come), always or never',
  },
  maxMemory: {
    argument: 'SIZE',
    kind: size(),
    default: 268_435_456,
    summary: 'what all captures together may keep in memory; past it they go to temporary files at once',
  },
  maxHeadMemory: {
    argument: 'SIZE',
    kind: size(1_048_576),
    default: 33_554_432,
    summary: 'what the heads of all connections together may take; past it the largest unfinished one is answered 431',
  },
  tmpFileMaxMemorySize: {
    argument: 'SIZE',
    kind: size(),
    default: 524_288,
    hidden: true,
    summary: 'what a capture keeps in memory before it goes to a temporary file',
  },
});

/** Those that know no client. */
export const CORE_LIMIT_ROWS = without(LIMIT_ROWS, 'maxConnections', 'headTimeout');

export type LimitSlice = Resolved<typeof LIMIT_ROWS>;
export type CoreLimitSlice = Resolved<typeof CORE_LIMIT_ROWS>;
