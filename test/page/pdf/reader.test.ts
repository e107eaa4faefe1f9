/** Links of PDF files: those that a viewer lets one click on, and no more time or memory than a file may take. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PdfReader } from '../../../src/page/pdf/reader.ts';
import { onePage, packed, pdf, uri } from '../../support/pdf.ts';

/** Printed by Chromium: two pages, object streams, a compressed table. */
const CHROMIUM = readFileSync(join(import.meta.dirname, 'chromium.pdf'));
const never = new AbortController().signal;

function open(t: TestContext, timeMs?: number) {
  const reader = new PdfReader(timeMs);
  t.after(() => reader.close());
  return async (bytes: Buffer, signal = never): Promise<{ readonly why: string; readonly links: readonly string[] }> => {
    const links: string[] = [];
    return { why: await reader.read(bytes, (link) => links.push(link), signal), links };
  };
}

/** A page whose drawing is this, so many times. */
const drawing = (step: string, bytes: number) =>
  pdf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R >>',
    packed(Buffer.alloc(bytes, step)),
  ]);

test('annotations and URLs in the text, of each page, each once', async (t) => {
  const read = open(t);
  assert.deepEqual(await read(CHROMIUM), {
    why: '',
    links: [
      'http://127.0.0.1:9/link/one?x=1&y=2',
      'https://example.org/zwei%20%C3%BC',
      'mailto:a@b.c',
      'http://127.0.0.1:9/plain/text.html',
      'http://www.example.net/foo',
      `http://127.0.0.1:9/a/very/long/url/that/goes/${'on/and/'.repeat(12)}ends`,
      'http://127.0.0.1:9/p2',
    ],
  });
  const others = [
    '<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /JavaScript /JS (app.alert\\(1\\)) >> >>',
    '<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /Launch /F (http://launch.example/) >> >>',
    '<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /Dest [3 0 R /Fit] >>',
  ];
  const annotations = [uri('https://a.example/'), ...others, uri('sub/x'), uri('https://a.example/')];
  const base = '/URI << /Base (http://base.example/dir/) >>';
  assert.deepEqual(await read(onePage(annotations, 'see http://text.example/page here', base)), {
    why: '',
    links: ['https://a.example/', 'http://base.example/dir/sub/x', 'http://text.example/page'],
  });
  assert.deepEqual((await read(onePage([uri('sub/x')]))).links, ['sub/x']);
});

test('what is broken says so, and the next file is read all the same', async (t) => {
  const read = open(t);
  const whole = onePage([uri('https://a.example/')]);
  assert.deepEqual(await read(Buffer.from('<html>no PDF')), { why: 'it is no PDF, or broken', links: [] });
  assert.deepEqual(await read(Buffer.alloc(0)), { why: 'it is no PDF, or broken', links: [] });
  const table = whole.indexOf('xref');
  const lost = Buffer.concat([whole.subarray(0, table), Buffer.from('lost'), whole.subarray(table + 4)]);
  assert.deepEqual(await read(lost), { why: '', links: ['https://a.example/'] }, 'without its table');
  // Whatever is in a file, the reader has an answer.
  for (let at = 9; at < whole.length; at += 23) {
    const bytes = Buffer.from(whole);
    bytes.fill(0xff, at, at + 3);
    await read(bytes);
  }
  assert.deepEqual((await read(whole)).links, ['https://a.example/']);
});

test('a file costs its time, its memory and its links, and no more', async (t) => {
  const [hurried, read] = [open(t, 2000), open(t)];
  const whole = onePage([uri('https://a.example/')]);
  // 50 kB that become 50 MB, and more in memory.
  assert.equal((await read(drawing('q ', 50_000_000))).why, `it takes more than ${128 * 1024 * 1024} bytes of memory`);
  assert.deepEqual((await read(whole)).links, ['https://a.example/']);
  const kids = '3 0 R '.repeat(500_000);
  const endless = pdf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${kids}] /Count 500000 >>`,
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Annots [${uri('http://x.example/')}] >>`,
  ]);
  assert.equal((await hurried(endless)).why, 'it takes more than 2 s');
  assert.deepEqual((await hurried(whole)).links, ['https://a.example/']);
  const many = Array.from({ length: 600 }, (_, n) => uri(`r${n}`));
  const { why, links } = await read(onePage(many, '', `/URI << /Base (http://b.example/${'x'.repeat(30_000)}/) >>`));
  assert.equal(why, `it has more than ${16 * 1024 * 1024} characters of links`);
  assert.ok(links.length < 600, String(links.length));
});

test('who has gone is not read for, and holds up nobody', async (t) => {
  const read = open(t);
  const gone = new AbortController();
  const [endless, waiting] = [drawing('1 1 m 9 9 l S ', 8_000_000), onePage([uri('https://b.example/')])];
  const first = read(endless, gone.signal);
  const second = read(waiting, gone.signal);
  const third = read(onePage([uri('https://c.example/')]));
  gone.abort(new Error('paused'));
  await assert.rejects(first, /paused/);
  await assert.rejects(second, /paused/);
  assert.deepEqual((await third).links, ['https://c.example/']);
  await assert.rejects(read(waiting, gone.signal), /paused/);
});

test('a reader that is closed has nothing more to say', async () => {
  const reader = new PdfReader();
  const reading = reader.read(onePage([uri('https://a.example/')]), () => assert.fail('a link'), never);
  await reader.close();
  assert.equal(await reading, 'the program ends');
  assert.equal(await reader.read(onePage([]), () => undefined, never), 'the program ends');
});
