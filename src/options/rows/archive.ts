/** `warctap archive`: which pages, how they are visited, and what is kept of them. */
import { BROWSERS } from '../../browser/find.ts';
import { SCOPES } from '../../page/scope.ts';
import { anyText, fieldValue, onOff, oneOf, orNone, seconds, text, wholeNumber } from '../kinds.ts';
import { group, without, type Resolved } from '../row.ts';
import { ARCHIVED_ROWS } from './archived.ts';
import { OUTPUT_ROWS } from './files.ts';
import { CORE_LIMIT_ROWS } from './limits.ts';
import { ORIGIN_ROWS } from './towards-origins.ts';
import { WARC_ROWS } from './warc-files.ts';

const language = text('a language such as de or de-CH', (value) => /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/.test(value));

/** A program of this machine. */
const browser = {
  ...text(`${BROWSERS.join(', ')}, or a path`, (value) => value !== '' && !value.includes('\0')),
  suggest: 'files' as const,
};

export const BROWSER_ROW = {
  argument: 'NAME',
  kind: browser,
  defaultText: 'the first that is there',
  summary: 'chromium, chrome, edge or firefox, or the path of one',
} as const;

/** Of an archive of pages. */
export const ARCHIVE_ROWS = {
  ...group('Output', {
    output: { ...OUTPUT_ROWS.output, defaultText: './HOST-TIME.wacz', summary: 'the WACZ, which is there when it is whole' },
    force: OUTPUT_ROWS.force,
    title: {
      short: 't',
      argument: 'TEXT',
      kind: anyText,
      defaultText: 'that of the first page',
      summary: 'what the WACZ says that it is called',
    },
    description: { argument: 'TEXT', kind: anyText, defaultText: 'none', summary: 'what it says is in it' },
  }),
  ...group('Pages', {
    depth: {
      argument: 'N',
      kind: wholeNumber(0, 1_000_000),
      defaultText: '0; with --scope without end',
      summary: 'links that are followed one after the other, from the URLs on',
    },
    scope: {
      argument: 'WHICH',
      kind: oneOf(...SCOPES),
      defaultText: 'prefix',
      summary: 'which links are followed: to pages below the folder of a URL (prefix), on its host, on its domain, any, or none (page)',
    },
    limit: { argument: 'N', kind: wholeNumber(1, 1_000_000), default: 100, summary: 'pages in all' },
    ignoreRobots: { kind: onOff, default: false, summary: 'follow links that robots.txt of a site forbids, too' },
    parallel: { argument: 'N', kind: wholeNumber(1, 20), default: 2, summary: 'pages at once' },
    pageTimeout: {
      argument: 'TIME',
      kind: seconds('above zero'),
      default: 90,
      summary: 'time for a page with all that it loads; what has come by then counts',
    },
    timeLimit: {
      argument: 'TIME',
      kind: orNone(seconds('zero allowed')),
      defaultText: 'none',
      summary: 'end after this time, with what there is',
    },
    screenshot: { kind: onOff, default: false, summary: 'pictures of each page, as it is seen at first and in full' },
    text: { kind: onOff, default: false, summary: 'the text of each page, for searching' },
  }),
  ...group('Browser', {
    browser: { ...BROWSER_ROW, summary: 'chromium, chrome or edge, or the path of one; needs the package playwright-core' },
    noBrowser: { kind: onOff, default: false, summary: 'without one: pages and what they are seen to load, no scripts' },
    userAgent: { argument: 'TEXT', kind: fieldValue, defaultText: 'that of the browser', summary: 'what is said in User-Agent' },
    lang: { argument: 'LANG', kind: language, defaultText: 'that of the browser', summary: 'the language that sites are asked for' },
  }),
};

export type ArchiveSlice = Resolved<typeof ARCHIVE_ROWS>;

/** Of a core whose files become one: where they are is not for its user to say. */
export const PACKED_CORE_ROWS = {
  ...group('WARC files', { warcVersion: WARC_ROWS.warcVersion, size: WARC_ROWS.size }),
  ...without(ARCHIVED_ROWS, 'methodFilter', 'recordFailures'),
  ...CORE_LIMIT_ROWS,
  ...ORIGIN_ROWS,
};
