import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { WarcWriteError } from '../../../src/warc/errors.ts';
import type { FsyncPolicy, OutputOptions } from '../../../src/warc/write/output.ts';
import { output, pool, recordsOf, tempDir } from '../support.ts';

/** Tells what is done with the file, in order. */
function told(fsync: FsyncPolicy, sync?: () => Promise<void>): { steps: string[]; options: OutputOptions } {
  const steps: string[] = [];
  const create: OutputOptions['create'] = async (path) => {
    const handle = await output.create(path);
    return {
      fd: handle.fd,
      writev: (pieces, position) => {
        steps.push('write');
        return handle.writev(pieces, position);
      },
      truncate: (size) => handle.truncate(size),
      read: (...part) => handle.read(...part),
      stat: (options) => handle.stat(options),
      sync: async () => {
        await (sync ?? (() => handle.sync()))();
        steps.push('sync');
      },
      close: () => {
        steps.push('close');
        return handle.close();
      },
    };
  };
  return { steps, options: { ...output, fsync, create } };
}

const EXPECTED: Record<FsyncPolicy, string[]> = {
  never: ['write', 'written', 'write', 'written', 'close'],
  close: ['write', 'written', 'write', 'written', 'sync', 'close'],
  capture: ['write', 'sync', 'written', 'write', 'sync', 'written', 'sync', 'close'],
};

for (const fsync of ['never', 'close', 'capture'] as const) {
  test(`with --fsync ${fsync} a batch counts as written after ${EXPECTED[fsync].slice(0, 2).join(', ')}`, async (t) => {
    const { steps, options } = told(fsync);
    const writers = pool(tempDir(t), { output: options });
    for (let batch = 0; batch < 2; batch += 1) {
      await writers.write([{ prefix: 'P', records: await recordsOf() }]);
      steps.push('written');
    }
    await writers.close();
    assert.deepEqual(steps, EXPECTED[fsync]);
  });
}

test('bytes that the disk did not take fail the batch, or the closing, and the file is not given its name', async (t) => {
  const fail = () => Promise.reject(new Error('EIO: i/o error, fsync'));
  for (const fsync of ['capture', 'close'] as const) {
    const dir = tempDir(t);
    const writers = pool(dir, { output: told(fsync, fail).options });
    const records = await recordsOf();
    const writing = writers.write([{ prefix: 'P', records }]);
    if (fsync === 'capture') await assert.rejects(writing, (error) => error instanceof WarcWriteError && error.message.includes('EIO'));
    else await writing;
    const closing = writers.close();
    if (fsync === 'close') await assert.rejects(closing, (error) => error instanceof WarcWriteError && error.message.includes('EIO'));
    else await closing;
    assert.deepEqual(readdirSync(dir), ['P-00000.warc.open']);
  }
});
