/** The transformations of examples/, with the programs that they call. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { JobResult } from '../../src/transform/client.ts';
import { browserTool, findTool } from '../support/tools.ts';
import { convert, jobArchive, startService, Workplace } from './support.ts';

const FOLDER = join(import.meta.dirname, '../../examples/transformations');
const pandoc = findTool({ commands: ['pandoc'], ask: ['--version'], says: /^pandoc \d/m });
const browser = browserTool();
const place = new Workplace();
const VARIABLES = { CIRCE_TRANSFORMATIONS_MODULE: `${FOLDER},${FOLDER}/markdown2html.ts` };

async function documents(archive: Buffer): Promise<Map<string, Buffer>> {
  const file = join(place.dir, 'result.tar.gz');
  writeFileSync(file, archive);
  const names = await new JobResult(file).extract(join(place.dir, 'documents'));
  return new Map(names.map((name) => [name, readFileSync(join(place.dir, 'documents', name))]));
}

test('markdown2html, written in TypeScript', async () => {
  await using service = await startService(place, ['run'], VARIABLES);
  const { archive, log, status } = await convert(
    service.url,
    jobArchive([['markdown2html', { title: 'A < B' }]], { 'a.md': '# Heading\n\n*text*', 'b.txt': 'b' }),
  );
  assert.equal(status, 'done', JSON.stringify(log));
  const made = await documents(archive);
  assert.deepEqual([...made.keys()], ['a.md.html', 'b.txt']);
  assert.match(made.get('a.md.html')?.toString() ?? '', /<title>A &lt; B<\/title>\n<h1>Heading<\/h1>\n<p><em>text<\/em><\/p>/);
  assert.equal(log.at(-1)?.message, 'Markdown to HTML: 1 files done.');
});

test('pandoc, from Markdown by way of Word to HTML', { skip: pandoc.skip }, async () => {
  await using service = await startService(place, ['run'], VARIABLES);
  const steps = [
    ['pandoc', { destination_format: 'docx' }],
    ['pandoc', { destination_format: 'html' }],
  ] as const;
  const { archive, log, status } = await convert(
    service.url,
    jobArchive(steps, { 'a.md': '# Heading\n\nSome *text*. ![words](/etc/passwd)' }),
  );
  assert.equal(status, 'done', JSON.stringify(log));
  const made = await documents(archive);
  assert.deepEqual([...made.keys()], ['a.md.docx.html']);
  assert.match(made.get('a.md.docx.html')?.toString() ?? '', /<em>text<\/em>\. words/);
  const wrong = await convert(service.url, jobArchive([['pandoc', { destination_format: 'x' }]]));
  assert.match(wrong.log.at(-1)?.message ?? '', /destination_format: expected one of docx/);
});

test(
  'html2pdf prints a page with its style, and shows no other file of the machine',
  { skip: browser.skip, timeout: 100_000 },
  async (t) => {
    const secret = place.write('secret.txt', 'SECRETWORD');
    await using service = await startService(place, ['run'], { ...VARIABLES, CHROMIUM: browser.command });
    const html = `<!doctype html><link rel="stylesheet" href="style.css"><h1>Heading</h1><iframe src="file://${secret}"></iframe>`;
    const { archive, log, status } = await convert(
      service.url,
      jobArchive(['html2pdf'], { 'page é.html': html, 'style.css': 'h1::after { content: " STYLED" }' }),
    );
    assert.equal(status, 'done', JSON.stringify(log));
    const made = await documents(archive);
    assert.deepEqual([...made.keys()], ['page é.html.pdf', 'style.css']);
    const pdf = made.get('page é.html.pdf') ?? Buffer.alloc(0);
    assert.equal(pdf.toString('latin1', 0, 5), '%PDF-');
    assert.match(pdf.toString('latin1'), /\/MediaBox ?\[0 0 59[45]/);
    const reader = findTool({ commands: ['pdftotext'], ask: ['-v'], says: /pdftotext version/ });
    if (reader.skip !== false) return t.diagnostic(`its words are not looked at: ${reader.skip}`);
    const { stdout } = spawnSync(reader.command, ['-', '-'], { input: pdf, encoding: 'utf8' });
    assert.match(stdout, /Heading STYLED/);
    assert.doesNotMatch(stdout, /SECRETWORD/);
  },
);
