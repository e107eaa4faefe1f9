import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RecordBytes } from '../../../src/warc/record.ts';
import { readWarc } from '../../../src/warc/read/reader.ts';
import { pool, recordsOf, sha1, spoolOf, tempDir } from '../support.ts';

const MIB = 1024 * 1024;

for (const gzip of [false, true]) {
  test(`a body of 20 MiB goes from its temporary file to the WARC file and back, ${gzip ? 'gzip' : 'plain'}`, async (t) => {
    const dir = tempDir(t);
    const body = Buffer.concat([randomBytes(10 * MIB), Buffer.alloc(10 * MIB, 'x')]);
    const spool = spoolOf(body, 1000);
    const [response, request] = await recordsOf();
    const head = response!.head.replace(/Content-Length: \d+/, `Content-Length: ${body.length}`);
    const writers = pool(dir, { gzip });
    await writers.write([{ prefix: 'P', records: [{ ...response!, head, block: spool }, request!] }]);
    await writers.close();
    spool.release();
    const types: string[] = [];
    for await (const record of readWarc(join(dir, `P-00000.warc${gzip ? '.gz' : ''}`))) {
      types.push(record.type);
      if (record.type === 'response') assert.equal(sha1(await record.bytes()), sha1(body));
    }
    assert.deepEqual(types, ['warcinfo', 'response', 'request']);
  });

  test(`a body of 200 MiB takes only a few MiB of memory, ${gzip ? 'gzip' : 'plain'}`, async (t) => {
    const dir = tempDir(t);
    // Random bytes take deflate 12 s.
    const piece = gzip ? Buffer.alloc(256 * 1024, 'x') : randomBytes(256 * 1024);
    const pieces = (200 * MIB) / piece.length;
    let peak = 0;
    const [response, request] = await recordsOf();
    const big: RecordBytes = {
      ...response!,
      head: response!.head.replace(/Content-Length: \d+/, `Content-Length: ${pieces * piece.length}`),
      block: {
        size: pieces * piece.length,
        memory: undefined,
        async *read() {
          for (let count = 0; count < pieces; count += 1) {
            peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
            yield await Promise.resolve(Buffer.from(piece));
          }
        },
      },
    };
    const writers = pool(dir, { gzip });
    const before = process.memoryUsage().arrayBuffers;
    await writers.write([{ prefix: 'P', records: [big, request!] }]);
    await writers.close();
    // Buffers that the collector has not come to yet are in it; without back-pressure it would be all 200.
    assert.ok(peak < 100 * MIB, `${peak} bytes`);
  });
}
