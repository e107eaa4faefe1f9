/** Logs, and where options come from. */
import { onOff, path, seconds } from '../kinds.ts';
import { group, type Resolved } from '../row.ts';

/** The log that belongs to the archive. */
export const CRAWL_LOG_ROWS = group('Logs and settings', {
  crawlLogDir: {
    argument: 'DIR',
    kind: path,
    defaultText: 'none',
    summary: 'write a crawl log for each prefix there, one line for each capture',
  },
});

/** What every program has on the command line, and none that embeds it. */
export const COMMAND_LINE_ROWS = group('Logs and settings', {
  config: {
    argument: 'FILE',
    kind: path,
    defaultText: 'none',
    summary: 'YAML or JSON file of options, named like the long flags',
  },
  quiet: { short: 'q', kind: onOff, default: false, reloadable: true, summary: 'log warnings and errors only' },
  verbose: { short: 'v', kind: onOff, default: false, reloadable: true, summary: 'log a line for each capture, too' },
  trace: { kind: onOff, default: false, reloadable: true, summary: 'log everything, with stack traces of errors' },
  summaryInterval: {
    argument: 'S',
    kind: seconds('zero allowed'),
    default: 60,
    summary: 'seconds between two lines that say what was archived, where there is no terminal; 0: none',
  },
});

export type CrawlLogSlice = Resolved<typeof CRAWL_LOG_ROWS>;
