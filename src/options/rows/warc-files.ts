/** The WARC files themselves: where, how named, how large, how safely written. */
import { anyText, filePrefix, onOff, oneOf, orNone, path, seconds, size } from '../kinds.ts';
import { group, type Resolved } from '../row.ts';

/** What the writer of WARC files needs. */
export const WARC_ROWS = group('WARC files', {
  dir: { short: 'd', argument: 'DIR', kind: path, default: './warcs', summary: 'where WARC files go' },
  collection: {
    argument: 'DIR',
    kind: path,
    defaultText: 'none',
    summary: 'a collection as pywb has it instead of --dir: WARC files in DIR/archive, their indexes in DIR/indexes',
  },
  cdxj: { kind: onOff, default: false, summary: 'keep a CDXJ index beside each WARC file, as it is written' },
  prefix: {
    short: 'n',
    argument: 'P',
    kind: filePrefix,
    default: 'WARCPROX',
    summary: 'file name prefix; "-" archives only what Warcprox-Meta gives a prefix',
  },
  subdirPrefix: { kind: onOff, default: false, summary: 'write into a subfolder of --dir named after the prefix' },
  warcFilename: {
    argument: 'T',
    kind: anyText,
    default: '{prefix}-{timestamp17}-{serialno}-{randomtoken}',
    summary: 'file name from {prefix} {timestamp14} {timestamp17} {serialno} {randomtoken} {hostname} {shorthostname} {port}',
  },
  gzip: { short: 'z', kind: onOff, default: false, summary: 'compress, one gzip member per record' },
  size: {
    short: 's',
    argument: 'SIZE',
    kind: size(),
    default: 1_000_000_000,
    summary: 'begin a new file once one has grown past this size',
  },
  rolloverIdleTime: {
    argument: 'TIME',
    kind: orNone(seconds('zero allowed')),
    defaultText: 'none',
    summary: 'close a file that nothing was written to for this time',
  },
  warcVersion: {
    argument: 'V',
    kind: oneOf('1.1', '1.0'),
    default: '1.1',
    summary: 'version of the WARC format, 1.1 or 1.0',
  },
  fsync: {
    argument: 'WHEN',
    kind: oneOf('never', 'close', 'capture'),
    defaultText: 'close; capture with --store',
    summary: 'wait until bytes are on the disk: never, on close of a file, or before a capture counts as written',
  },
  noWarcOpenSuffix: {
    kind: onOff,
    default: false,
    hidden: true,
    summary: 'write to the final name, locked, instead of NAME.open',
  },
});

export type WarcSlice = Resolved<typeof WARC_ROWS>;
