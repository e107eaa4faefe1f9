/** What is archived of that which goes over the wire, and how it is described. */
import { digestAlgorithm, listOf, method, onOff, oneOf, orNone, size } from '../kinds.ts';
import { group, type Resolved } from '../row.ts';

/** Digests, and what is left out or cut. */
export const ARCHIVED_ROWS = group('What is archived', {
  digestAlgorithm: {
    short: 'g',
    argument: 'A',
    kind: digestAlgorithm,
    default: 'sha1',
    summary: 'hash function of block and payload digests',
  },
  base32: { kind: onOff, default: false, summary: 'digests in Base32 instead of hex' },
  methodFilter: {
    argument: 'M',
    kind: listOf(method),
    default: [],
    defaultText: 'all methods',
    summary: 'archive only requests with this method; may be repeated',
  },
  recordFailures: {
    kind: onOff,
    default: false,
    summary: 'records of fetches without an answer: why, and the request that was sent',
  },
  tlsEvidence: {
    argument: 'WHAT',
    kind: oneOf('off', 'chain'),
    default: 'chain',
    summary: 'certificates of origins as records, once for each origin and file, with what speaks against them: chain or off',
  },
  noWarcProtocol: {
    kind: onOff,
    default: false,
    summary: 'leave WARC-Protocol and WARC-Cipher-Suite out of records: what was spoken with the origin',
  },
  maxResourceSize: {
    argument: 'SIZE',
    kind: orNone(size()),
    defaultText: 'none',
    summary: 'stop a download past this size and mark its record as truncated',
  },
  websocketMaxSize: {
    argument: 'SIZE',
    kind: size(),
    default: 104_857_600,
    summary: 'what is archived of the messages of one WebSocket, as lines of JSON; past it they are passed on only; 0: no limit',
  },
});

export type ArchivedSlice = Resolved<typeof ARCHIVED_ROWS>;
