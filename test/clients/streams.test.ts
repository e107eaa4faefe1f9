/**
 * Bodies that no memory should hold: a download of 1 GB and an upload of 200 MB pass through the program, whose memory stays small.
 *
 * WARCTAP_LARGE_GB sets the size of the download.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes, type Hash } from 'node:crypto';
import { createReadStream, readFileSync, statfsSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import type { Writable } from 'node:stream';
import { jwarc, warcio } from '../interop/validators.ts';
import { Workplace, type Program } from './support/program.ts';

const LARGE_GB = Number(process.env.WARCTAP_LARGE_GB ?? 1);
const DOWNLOAD_BYTES = LARGE_GB * 1_000_000_000;
const UPLOAD_BYTES = 200_000_000;
const MAX_RSS_BYTES = 250_000_000;
/** Every body is in a temporary file before it is in a WARC file. */
const DISK_BYTES = 2.5 * DOWNLOAD_BYTES;
const PIECE = randomBytes(1_000_000);
const timeout = 120_000 * Math.max(1, LARGE_GB);

const { bavail, bsize } = statfsSync(tmpdir());
const skip =
  process.platform !== 'linux'
    ? 'reads the peak of memory from /proc'
    : bavail * bsize < DISK_BYTES && `${tmpdir()} has less than ${DISK_BYTES / 1e9} GB left`;

const place = new Workplace();

test(`${LARGE_GB} GB down and 200 MB up take less than ${mb(MAX_RSS_BYTES)} of memory`, { skip, timeout }, async (t) => {
  await using origin = await startOrigin();
  await using program = await place.start('--max-spool', '0');

  const down = createHash('sha1');
  const response = await ask(program, 'GET', `${origin.url}/down`);
  let size = 0;
  for await (const bytes of response as AsyncIterable<Buffer>) {
    down.update(bytes);
    size += bytes.length;
  }
  assert.equal(size, DOWNLOAD_BYTES);
  const afterDownload = peakBytes(program);

  const up = createHash('sha1');
  const answer = await ask(program, 'PUT', `${origin.url}/up`, up);
  assert.equal(await text(answer), up.digest('hex'));
  const afterUpload = peakBytes(program);
  t.diagnostic(`peak of memory: ${mb(afterDownload)} after the download, ${mb(afterUpload)} after the upload`);

  const { code, stderr } = await program.stop();
  assert.equal(code, 0, stderr);
  const [file = ''] = place.files();
  const { length, payloadDigest, blockDigest, blockStart } = await firstResponse(file);
  const block = createHash('sha1');
  let headBytes = 0;
  for await (const bytes of createReadStream(file, { start: blockStart, end: blockStart + length - 1, highWaterMark: 1 << 20 })) {
    if (headBytes === 0) headBytes = (bytes as Buffer).indexOf('\r\n\r\n') + 4;
    block.update(bytes as Buffer);
  }
  assert.equal(length, headBytes + DOWNLOAD_BYTES);
  assert.equal(payloadDigest, `sha1:${down.digest('hex')}`);
  assert.equal(blockDigest, `sha1:${block.digest('hex')}`);
  const peak = Math.max(afterDownload, afterUpload);
  assert.ok(peak < MAX_RSS_BYTES, mb(peak));
});

for (const reader of [warcio(), jwarc()]) {
  test(`${reader.name} accepts the file`, { skip: reader.skip }, (t) => {
    const [file] = place.files();
    if (file === undefined) return t.skip('nothing was written: the first test was skipped or has failed');
    const { accepted, complaints } = reader.check(file);
    assert.deepEqual(complaints, []);
    assert.ok(accepted);
  });
}

/** Sends pieces for GET, and answers the SHA-1 of what it is sent. */
async function startOrigin(): Promise<AsyncDisposable & { readonly url: string }> {
  const serve = async (asked: IncomingMessage, response: ServerResponse) => {
    if (asked.method === 'GET') {
      response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': DOWNLOAD_BYTES });
      await pour(response, DOWNLOAD_BYTES);
    } else {
      const hash = createHash('sha1');
      for await (const bytes of asked as AsyncIterable<Buffer>) hash.update(bytes);
      response.end(hash.digest('hex'));
    }
  };
  const server = createServer((asked, response) => void serve(asked, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** @param hash sees the body, which is sent in chunks */
async function ask({ port }: Program, method: string, url: string, hash?: Hash): Promise<IncomingMessage> {
  const asking = request({ host: '127.0.0.1', port, method, path: url, headers: { Host: new URL(url).host } });
  const answered = once(asking, 'response') as Promise<[IncomingMessage]>;
  if (hash === undefined) asking.end();
  else await pour(asking, UPLOAD_BYTES, hash);
  const [response] = await answered;
  return response;
}

async function pour(to: Writable, bytes: number, hash?: Hash): Promise<void> {
  for (let left = bytes; left > 0; left -= PIECE.length) {
    const piece = left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
    hash?.update(piece);
    if (!to.write(piece)) await once(to, 'drain');
  }
  to.end();
}

async function text(response: IncomingMessage): Promise<string> {
  let all = '';
  for await (const bytes of response as AsyncIterable<Buffer>) all += bytes.toString();
  return all;
}

/** The largest resident set that the program has had so far. */
function peakBytes({ pid }: Program): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

function mb(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

/** The header of the first response, read by hand: its block is too large for a reader that hands it over whole. */
async function firstResponse(file: string): Promise<{ length: number; payloadDigest: string; blockDigest: string; blockStart: number }> {
  const [first] = (await createReadStream(file, { end: 65_535 }).toArray()) as Buffer[];
  const start = first!.indexOf('WARC-Type: response');
  const end = first!.indexOf('\r\n\r\n', start) + 4;
  const header = first!.toString('latin1', start, end);
  const field = (name: string) => new RegExp(`^${name}: (.*)\r$`, 'm').exec(header)?.[1] ?? '';
  const [payloadDigest, blockDigest] = [field('WARC-Payload-Digest'), field('WARC-Block-Digest')];
  return { length: Number(field('Content-Length')), payloadDigest, blockDigest, blockStart: end };
}
