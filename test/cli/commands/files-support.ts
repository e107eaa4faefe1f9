/** A WARC file with one of each kind, for the commands that look into files. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { handMade, idOf, members } from '../../warc/tools/repair-support.ts';
import { tempDir } from '../../warc/support.ts';

const HTTP = 'Content-Type: application/http\r\n';
export const PAGE = '<html><title>A &amp; B</title>hello</html>';

function record(type: string, id: number, url: string, block: string | Buffer, more = HTTP): Buffer {
  return handMade({ type, id: idOf(id), version: '1.1', more: `WARC-Target-URI: ${url}\r\n${more}`, block });
}

export const RECORDS: readonly Buffer[] = [
  handMade({ type: 'warcinfo', id: idOf(1), version: '1.1', more: 'Content-Type: application/warc-fields\r\n', block: 'software: x\r\n' }),
  record(
    'response',
    2,
    'https://example.com/',
    Buffer.concat([
      Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Encoding: gzip\r\n\r\n'),
      gzipSync(PAGE),
    ]),
  ),
  record('request', 3, 'https://example.com/', 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n', `${HTTP}WARC-Concurrent-To: ${idOf(2)}\r\n`),
  record('response', 4, 'http://example.com/a.png', 'HTTP/1.1 404 Not Found\r\nContent-Type: image/PNG\r\n\r\nno'),
  record('request', 5, 'http://example.com/a.png', 'POST /a.png HTTP/1.1\r\n\r\nq=1', `${HTTP}WARC-Concurrent-To: ${idOf(4)}\r\n`),
  record('resource', 6, 'urn:example:thing', 'text', 'Content-Type: text/plain\r\n'),
];

/** @returns its path, in a folder of its own with a space */
export function sampleFile(t: TestContext, name = 'a.warc.gz', bytes = members(...RECORDS)): string {
  const file = join(tempDir(t), name);
  writeFileSync(file, bytes);
  return file;
}
