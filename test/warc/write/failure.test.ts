import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { WarcWriteError } from '../../../src/warc/errors.ts';
import type { OutputHandle, OutputOptions } from '../../../src/warc/write/output.ts';
import type { RecordBytes } from '../../../src/warc/record.ts';
import { buildRecords } from '../../../src/archive/records.ts';
import type { Bytes } from '../../../src/util/spool.ts';
import { exchange, output, pool, readAll, recordOptions, recordsOf, tempDir } from '../support.ts';

/** A disk that is full after so many bytes of a file; the write that meets the end is cut short. */
function fullAfter(maxBytes: number, changes: Partial<OutputHandle> = {}): OutputOptions {
  return {
    ...output,
    create: async (path) => {
      const handle = await output.create(path);
      return {
        fd: handle.fd,
        truncate: (size) => handle.truncate(size),
        sync: () => handle.sync(),
        close: () => handle.close(),
        read: (...part) => handle.read(...part),
        stat: (options) => handle.stat(options),
        writev: async (pieces, position) => {
          const room = maxBytes - position;
          const all = Buffer.concat(pieces);
          if (room <= 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
          return handle.writev([all.subarray(0, room)], position);
        },
        ...changes,
      };
    },
  };
}

async function batchOf(count: number, bodyBytes: number): Promise<{ prefix: string; records: readonly RecordBytes[] }[]> {
  const captures = Array.from({ length: count }, () => exchange({ body: Buffer.alloc(bodyBytes, 'x') }));
  return (await buildRecords(captures, recordOptions())).map((records) => ({ prefix: 'P', records }));
}

test('on a full disk the file is cut back to its last whole record, closed and valid', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir, { output: fullAfter(4000) });
  await writers.write(await batchOf(1, 100));
  const error: unknown = await writers.write(await batchOf(4, 500)).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof WarcWriteError);
  assert.equal(error.code, 'WARC_WRITE');
  assert.equal((error.cause as NodeJS.ErrnoException).code, 'ENOSPC');
  assert.equal(error.message, `${join(dir, 'P-00000.warc.open')}: cannot be written: ENOSPC: no space left on device, write`);
  assert.deepEqual(readdirSync(dir), ['P-00000.warc']);
  const types = (await readAll(join(dir, 'P-00000.warc'))).map(({ type }) => type);
  assert.deepEqual(types, ['warcinfo', 'response', 'request', 'response', 'request', 'response']);
});

test('for every size of the disk what is left is valid', async (t) => {
  const dir = tempDir(t);
  for (const gzip of [false, true]) {
    for (let size = 0; size < 2600; size += 37) {
      const template = `${gzip ? 'gzip' : 'plain'}-${size}`;
      const writers = pool(dir, { output: fullAfter(size), gzip, template });
      await writers.write(await batchOf(1, 300)).catch(() => undefined);
      await writers.write(await batchOf(2, 300)).catch(() => undefined);
      await writers.close();
      for (const name of readdirSync(dir).filter((each) => each.startsWith(`${template}.`))) {
        assert.ok(!name.endsWith('.open'));
        assert.ok((await readAll(join(dir, name))).length >= 1);
      }
    }
  }
});

test('after a failure nothing more is taken, for any prefix', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir, { output: fullAfter(1500) });
  await assert.rejects(writers.write(await batchOf(3, 1000)), WarcWriteError);
  const records = await recordsOf();
  await assert.rejects(writers.write([{ prefix: 'other', records }]), WarcWriteError);
  await writers.close();
  assert.deepEqual(readdirSync(dir), ['P-00000.warc']);
});

test('a file with nothing whole in it is deleted', async (t) => {
  const dir = tempDir(t);
  await assert.rejects(pool(dir, { output: fullAfter(100) }).write(await batchOf(1, 10)), WarcWriteError);
  assert.deepEqual(readdirSync(dir), []);
});

test('a file that cannot be cut back stays open for the next start to repair', async (t) => {
  const dir = tempDir(t);
  const writers = pool(dir, { output: fullAfter(1500, { truncate: () => Promise.reject(new Error('EIO: i/o error')) }) });
  await assert.rejects(writers.write(await batchOf(3, 1000)), /cannot be written, nor cut back .*ENOSPC/);
  assert.deepEqual(readdirSync(dir), ['P-00000.warc.open']);
});

test('a block that cannot be read, or is shorter than it says, leaves no trace in the file', async (t) => {
  const broken: Bytes[] = [
    { size: 10, memory: [Buffer.from('short')], read: () => Promise.reject.bind(Promise) as never },
    {
      size: 2_000_000,
      memory: undefined,
      async *read() {
        yield await Promise.resolve(Buffer.alloc(1_500_000));
        throw new Error('EIO: i/o error, read');
      },
    },
    {
      size: 10,
      memory: undefined,
      async *read() {
        yield await Promise.resolve(Buffer.from('short'));
      },
    },
  ];
  for (const gzip of [false, true]) {
    for (const block of broken) {
      const dir = tempDir(t);
      const writers = pool(dir, { gzip });
      const [response, request] = await recordsOf();
      await writers.write([{ prefix: 'P', records: [response!, request!] }]);
      await assert.rejects(writers.write([{ prefix: 'P', records: [{ ...response!, block }, request!] }]), WarcWriteError);
      const [name] = readdirSync(dir);
      assert.equal((await readAll(join(dir, name!))).length, 3);
    }
  }
});

test('a folder that cannot be written to fails the batch', async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'P'), '');
  const writers = pool(dir, { subdirPrefix: true });
  await assert.rejects(
    writers.write(await batchOf(1, 1)),
    (error) => error instanceof WarcWriteError && error.message.includes('prefix "P"'),
  );
});

test('a file that was idle and could not be closed fails the next batch', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const dir = tempDir(t);
  const create: OutputOptions['create'] = async (path) => {
    const handle = await output.create(path);
    return {
      fd: handle.fd,
      truncate: () => Promise.resolve(),
      writev: (pieces, position) => handle.writev(pieces, position),
      read: (...part) => handle.read(...part),
      stat: (options) => handle.stat(options),
      sync: () => handle.sync(),
      close: () => handle.close().then(() => Promise.reject(new Error('EIO: i/o error, close'))),
    };
  };
  const writers = pool(dir, { idleMs: 1000, now: () => new Date(), output: { ...output, create } });
  await writers.write(await batchOf(1, 1));
  t.mock.timers.tick(1000);
  await assert.rejects(writers.write(await batchOf(1, 1)), /cannot be closed: EIO/);
});
