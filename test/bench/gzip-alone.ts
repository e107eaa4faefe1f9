/**
 * What zlib alone would allow: compresses records that were written, one by one on one core, and does nothing else.
 *
 * `node --import tsx test/bench/gzip-alone.ts FOLDER` prints records per second.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readWarc } from '../../src/warc/read/reader.ts';

const RECORDS = 2000;
const WARM_UP_MS = 500;
const MEASURED_MS = 1500;

async function records(folder: string): Promise<Buffer[]> {
  const found: Buffer[] = [];
  for (const name of readdirSync(folder)) {
    for await (const record of readWarc(join(folder, name))) {
      const head = record.headers.map(([field, value]) => `${field}: ${value}\r\n`).join('');
      found.push(Buffer.concat([Buffer.from(`${record.version}\r\n${head}\r\n`), await record.bytes(), Buffer.from('\r\n\r\n')]));
      if (found.length === RECORDS) return found;
    }
  }
  return found;
}

function compress(all: readonly Buffer[], forMs: number): number {
  const startMs = performance.now();
  let count = 0;
  while (performance.now() - startMs < forMs) gzipSync(all[count++ % all.length] ?? '');
  return count / ((performance.now() - startMs) / 1000);
}

const all = await records(process.argv[2] ?? '');
compress(all, WARM_UP_MS);
console.log(compress(all, MEASURED_MS));
