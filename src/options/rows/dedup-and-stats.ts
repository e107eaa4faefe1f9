/** Deduplication and statistics, and the databases of both. */
import { STORE_URL, storeAddress } from '../../store/valkey/address.ts';
import { fieldValue, httpUrl, onOff, path, pathOrOff, seconds, size, text, wholeNumber } from '../kinds.ts';
import { group, type Resolved } from '../row.ts';

/** The databases, and the rules of what counts as a duplicate. */
export const DEDUP_AND_STATS_ROWS = group('Deduplication and statistics', {
  dedupDbFile: {
    short: 'j',
    argument: 'F',
    kind: pathOrOff,
    default: './warctap.db',
    summary: 'LevelDB folder of the deduplication index; /dev/null: no deduplication',
  },
  statsDbFile: {
    argument: 'F',
    kind: pathOrOff,
    default: './warctap.db',
    summary: 'LevelDB folder of the statistics; /dev/null: no statistics, and no limits',
  },
  store: {
    argument: 'URL',
    kind: text(STORE_URL, (url) => storeAddress(url) !== undefined),
    secret: true,
    defaultText: 'none',
    summary: 'share deduplication, statistics and limits with other machines: valkey://HOST:PORT/DB',
  },
  storePasswordFile: {
    argument: 'FILE',
    kind: path,
    defaultText: 'none',
    summary: 'password of the store, from the one line of a file',
  },
  dedupMinTextSize: {
    argument: 'SIZE',
    kind: size(),
    default: 0,
    summary: 'deduplicate only textual payloads larger than this',
  },
  dedupMinBinarySize: {
    argument: 'SIZE',
    kind: size(),
    default: 0,
    summary: 'deduplicate only other payloads larger than this',
  },
  dedupOnlyWithBucket: {
    kind: onOff,
    default: false,
    summary: 'deduplicate only when Warcprox-Meta names a bucket',
  },
  blackoutPeriod: {
    argument: 'TIME',
    kind: seconds('zero allowed'),
    default: 0,
    summary: "write no revisit of a URL's unchanged answer for this time after its original",
  },
  cdxserverDedup: {
    argument: 'URL',
    kind: httpUrl,
    defaultText: 'none',
    summary: 'deduplicate against this CDX server instead',
  },
  cdxserverDedupCookies: {
    argument: 'C',
    kind: fieldValue,
    secret: true,
    defaultText: 'none',
    hidden: true,
    summary: 'value of the Cookie header sent to the CDX server',
  },
  cdxserverDedupMaxThreads: {
    argument: 'N',
    kind: wholeNumber(1),
    default: 50,
    hidden: true,
    summary: 'questions to the CDX server at once',
  },
});

export type DedupAndStatsSlice = Resolved<typeof DEDUP_AND_STATS_ROWS>;
