/** Bounds of time, number and size. */
import { seconds, wholeNumber } from '../kinds.ts';
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
    argument: 'S',
    kind: seconds('above zero'),
    default: 60,
    summary: 'seconds without a byte after which a connection is given up',
  },
  headTimeout: {
    argument: 'S',
    kind: seconds('above zero'),
    default: 60,
    summary: 'seconds that a client may take for the head of a request, or for a TLS handshake',
  },
  minRate: {
    argument: 'N',
    kind: wholeNumber(0, Number.MAX_SAFE_INTEGER, 'bytes per second'),
    default: 10,
    summary: 'bytes per second, as an average over --socket-timeout, below which a body is given up; 0: no minimum',
  },
  fetchTimeout: {
    argument: 'S',
    kind: seconds('zero allowed'),
    default: 1800,
    summary: 'seconds that one fetch may take in all; 0: no limit',
  },
  minFreeSpace: {
    argument: 'N',
    kind: wholeNumber(0, Number.MAX_SAFE_INTEGER, 'bytes'),
    default: 1_073_741_824,
    summary: 'bytes left on the disk of --dir below which requests are answered 503; 0: no check',
  },
  maxMemory: {
    argument: 'N',
    kind: wholeNumber(0, Number.MAX_SAFE_INTEGER, 'bytes'),
    default: 268_435_456,
    summary: 'bytes of all captures together kept in memory; past them they go to temporary files at once',
  },
  tmpFileMaxMemorySize: {
    argument: 'N',
    kind: wholeNumber(0, Number.MAX_SAFE_INTEGER, 'bytes'),
    default: 524_288,
    hidden: true,
    summary: 'bytes of a capture kept in memory before they go to a temporary file',
  },
});

/** Those that know no client. */
export const CORE_LIMIT_ROWS = without(LIMIT_ROWS, 'maxConnections', 'headTimeout');

export type LimitSlice = Resolved<typeof LIMIT_ROWS>;
export type CoreLimitSlice = Resolved<typeof CORE_LIMIT_ROWS>;
