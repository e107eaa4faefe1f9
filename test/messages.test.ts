/**
 * The registry of messages and the program say the same, both ways, and `docs/messages.md` is what they make.
 *
 * `WARCTAP_WRITE_DOCS=1 node test/run.js messages.test` writes that page.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ANSWERS, FETCH_ERRORS, MESSAGE_ERRORS, META_ERRORS } from '../src/messages/answers.ts';
import { ENDS } from '../src/messages/ends.ts';
import { LOG_LINES } from '../src/messages/log-lines.ts';
import type { MessageRow } from '../src/messages/row.ts';
import { found, read, ROOT, sourcesIn } from './support/docs.ts';
import { ERROR_FORMS, messagesDoc, textsWith } from './support/messages-doc.ts';
import { readSources, type Said } from './support/said.ts';

const sources = readSources();
const { said, texts, errorClasses } = sources;
const TABLES = [ENDS, FETCH_ERRORS, MESSAGE_ERRORS, META_ERRORS] as readonly Readonly<Record<string, MessageRow>>[];

/** Errors that others catch and tell in their own words: a file that is repaired or verified, a regex in a field, a page that is cut or crawled, a WebSocket. */
const INNER = [
  'CertificateNameError',
  'CutOffError',
  'DownloadError',
  'Http2Error',
  'IncompleteError',
  'JobDeletedError',
  'NotNowError',
  'ClientLeftError',
  'NotRepairedError',
  'QueryError',
  'OtherLayoutError',
  'RenderError',
  'StdoutGone',
  'StoppedError',
  'TimedOutError',
  'TooLargeError',
  'VisitError',
  'WarcReadError',
  'WebSocketError',
  'WireError',
];
/** Holds the answer of another. */
const CARRIERS = ['RefusedError'];
/** Told to the scraper by the helper's own lines (docs/scraper.md). */
const OF_LINES = ['ScraperError', 'ScraperUsageError'];
/** In the words of a contract, and told by the page of that service (docs/transform.md, docs/queue.md, docs/crawl.md). */
const OF_CONTRACTS = ['ClientException', 'CrawlConnectionError', 'CrawlRefusedError', 'Failure', 'Refusal', 'TransformRefusal'];

const at = ({ file, args }: Said): string => `${file}: ${args.map((arg) => arg?.join(' or ') ?? '?').join(', ')}`;
const isLogged = ({ by }: Said): boolean => by === 'warn' || by === 'error' || by === 'fail';
/** Nothing but what differs: its parts are told apart. */
const isBare = (text: string): boolean => !/[a-z]/i.test(text);

describe('what the program says is in the registry', () => {
  test('the sources are understood', () => {
    assert.ok(said.length > 200, String(said.length));
    for (const by of ['warn', 'error', 'fail', 'plainAnswer', 'onTooSlow', ...Object.keys(ERROR_FORMS)])
      assert.ok(
        said.some((each) => each.by === by),
        by,
      );
  });

  test('every class of errors', () => {
    assert.deepEqual(
      [...new Set(errorClasses)].sort(),
      [...Object.keys(ERROR_FORMS), ...INNER, ...CARRIERS, ...OF_LINES, ...OF_CONTRACTS].sort(),
    );
  });

  test('every code of an error', () => {
    const unknown = said.filter(({ by, args }) => {
      const form = ERROR_FORMS[by];
      if (form === undefined || typeof form.code === 'string') return false;
      return (args[form.code] ?? []).some((code) => !Object.hasOwn(form.rows, code));
    });
    assert.deepEqual(unknown.map(at), []);
  });

  test('every warning and error of the log', () => {
    const logged = said.filter(isLogged);
    assert.ok(logged.length > 30);
    const unknown = logged.filter(({ args: [, message] }) =>
      (message ?? []).some((text) => !isBare(text) && !Object.hasOwn(LOG_LINES, text)),
    );
    assert.deepEqual(unknown.map(at), []);
  });

  test('every answer', () => {
    const answers = said.filter(({ by, file }) => by === 'plainAnswer' && file !== 'programs/transform.ts');
    const unknown = answers.filter(({ args: [, line], numbers: [status] }) =>
      (line ?? []).some((text) => (ANSWERS as Readonly<Record<string, { status: number }>>)[text]?.status !== status),
    );
    assert.deepEqual(unknown.map(at), []);
    const late = said.filter(({ by }) => by === 'onTooSlow').flatMap(({ args: [line] }) => line ?? []);
    assert.deepEqual(
      late.filter((line) => !Object.hasOwn(ANSWERS, line)),
      [],
    );
  });
});

describe('what is in the registry the program says', () => {
  test('every code of an error, with at least one text', () => {
    for (const rows of TABLES) {
      for (const code of Object.keys(rows)) {
        const isSystems = /^E[A-Z]+$/.test(code);
        assert.ok(texts.has(code), code);
        assert.ok(textsWith(said, rows, code).length > 0, isSystems ? `${code} has no text of its own` : code);
      }
    }
  });

  test('every text that is told to be made elsewhere', () => {
    const parts = [...texts].map((text) => text.trim());
    for (const rows of TABLES) {
      for (const [code, { says = [] }] of Object.entries(rows)) {
        for (const text of says)
          assert.ok(parts.some((part) => text.endsWith(part) && part.length > 5) || texts.has(text), `${code}: ${text}`);
      }
    }
  });

  test('every line of the log, and every answer', () => {
    const logged = new Set(said.filter(isLogged).flatMap(({ args: [, message] }) => message ?? []));
    assert.deepEqual(
      Object.keys(LOG_LINES).filter((text) => !logged.has(text)),
      [],
    );
    assert.deepEqual(
      Object.keys(ANSWERS).filter((text) => !texts.has(text) && !texts.has(`${text}\n`)),
      [],
    );
  });
});

describe('docs', () => {
  test('docs/messages.md is made from the registry (WARCTAP_WRITE_DOCS=1 writes it)', async () => {
    const doc = await messagesDoc(sources);
    if (process.env.WARCTAP_WRITE_DOCS === '1') writeFileSync(join(ROOT, 'docs/messages.md'), doc);
    assert.equal(read('docs/messages.md'), doc);
  });

  test('every row is a sentence that says what to do', () => {
    for (const rows of [...TABLES, ANSWERS, LOG_LINES] as readonly Readonly<Record<string, MessageRow>>[]) {
      for (const [key, { when, fix }] of Object.entries(rows))
        for (const text of [when, fix]) assert.match(text, /^\S[^\n|]{5,}[^.\s]$/, key);
    }
  });

  test('every code that another program sees is a literal of the sources', () => {
    const codes = new Set(found(sourcesIn('src'), /code(?::| =) '([A-Z]+(?:_[A-Z]+)+)'/g));
    const inner = [
      'ARCHIVED_INCOMPLETE',
      'AUTH_FILE',
      'CERTIFICATE_NAME',
      'CLIENT_LEFT',
      'WARC_READ',
      'WARCTAP_PLUGIN',
      'CIRCE_CLIENT',
      'CIRCE_TIMEOUT',
      'CIRCE_ACCESS_DENIED',
      'WARCTAP_TRANSFORM_REFUSED',
      'CRAWL_CONNECTION',
      'CRAWL_REFUSED',
    ];
    for (const code of codes) assert.ok(inner.includes(code) || Object.hasOwn(ENDS, code), code);
  });
});
