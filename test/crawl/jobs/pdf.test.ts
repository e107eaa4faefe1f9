/** PDF files in a crawl: their links are followed as those of pages are, and what cannot be read is told in the log of the job. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { onePage, uri } from '../../support/pdf.ts';
import { crawl, openCrawls, pathsOf, policy, startSite } from './support.ts';

const PDF = { 'Content-Type': 'application/pdf' };

test('links of PDF files are followed, packed or not', async (t) => {
  const site = await startSite(t, (request, response) => {
    const { port } = site;
    if (request.url === '/') {
      response.writeHead(302, { Location: '/dir/first.pdf' }).end();
    } else if (request.url === '/dir/first.pdf') {
      const annotations = [uri('second'), uri(`http://127.0.0.1:${port}/third#page=2`), uri('mailto:a@example.org')];
      response.writeHead(200, PDF).end(onePage(annotations, `and http://127.0.0.1:${port}/in-text too`));
    } else if (request.url === '/dir/second') {
      response.writeHead(200, { ...PDF, 'Content-Encoding': 'gzip' }).end(gzipSync(onePage([uri('/fourth')])));
    } else if (request.url === '/broken') response.writeHead(200, PDF).end('no PDF');
    else if (request.url === '/large') response.writeHead(200, PDF).end(Buffer.alloc(11 * 1024 * 1024, '%PDF-1.7 '));
    else if (request.url === '/gone') response.writeHead(404, PDF).end(onePage([uri('/of-an-error')]));
    else if (request.url === '/third')
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<a href=/broken><a href=/large><a href=/gone>');
    else response.writeHead(200, { 'Content-Type': 'text/html' }).end('');
  });
  await using crawls = await openCrawls();
  const [job, items] = await crawl(crawls, `${site.url}/`, policy({ mimeTypeRules: [{ save: true }] }));
  assert.deepEqual(pathsOf(items), ['/', '/broken', '/dir/second', '/fourth', '/gone', '/in-text', '/large', '/third']);
  assert.deepEqual(job.counts, { items: 8, successes: 7, errors: 1, exceptions: 0 });
  const lines = crawls.jobs.log(job.id).filter(({ reason }) => reason === 'links');
  assert.deepEqual(lines.map(({ url, detail }) => `${new URL(url).pathname}: ${detail}`).sort(), [
    '/broken: the PDF was not read to its end: it is no PDF, or broken',
    '/large: a PDF of more than 10485760 bytes is not looked into',
  ]);
});
