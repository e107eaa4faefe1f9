/** Which disk has too little, by its own size and with its figures. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openSpace } from '../../src/programs/space.ts';
import { recordingLog } from '../ca/support.ts';
import { makeSmallDisk, noSmallDisk } from '../support/small-disk.ts';

const MIB = 1024 * 1024;

describe('two disks', { skip: noSmallDisk }, () => {
  /** WARC files on a disk of 96 MiB, temporary files on one of 20: 4.8 MiB and 1 MiB are to be left. */
  async function onTwoDisks() {
    const [warcs, temporary] = [makeSmallDisk(96), makeSmallDisk(20)];
    const { log, lines } = recordingLog();
    const options = { minFreeSpace: undefined, maxSpool: 0 };
    const space = await openSpace({ options, dir: warcs.dir, spoolDir: temporary.dir, maxFiles: 1, log });
    return {
      ...space,
      lines,
      warcs,
      temporary,
      [Symbol.dispose]: () => {
        space.close();
        warcs[Symbol.dispose]();
        temporary[Symbol.dispose]();
      },
    };
  }

  test('that of temporary files is named, and goes by its own size', async () => {
    using disks = await onTwoDisks();
    assert.equal(disks.refusal(), undefined);
    const other = join(disks.temporary.dir, 'other');
    writeFileSync(other, Buffer.alloc(19.5 * MIB));
    await disks.spools.look();
    const told = 'too little space is left on the disk of temporary files (512k free, --min-free-space is 1M)';
    assert.equal(disks.refusal(), told);
    rmSync(other);
    await disks.spools.look();
    assert.equal(disks.refusal(), undefined);
    assert.deepEqual(
      disks.lines.filter(({ level }) => level !== 'debug').map(({ level, message }) => `${level} ${message}`),
      [`error ${told}; requests are answered 503 until there is more`, 'info enough space again'],
    );
  });

  test('what is held and not written yet is said where it is what is too much', async () => {
    using disks = await onTwoDisks();
    disks.spools.take(92 * MIB);
    await new Promise<void>((resolve) => disks.spools.onRoom(resolve));
    const figures = '96M free, 92M of it for what is not written yet, --min-free-space is 4.8M';
    assert.equal(disks.refusal(), `too little space is left on the disk of the WARC files (${figures})`);
    disks.spools.give(92 * MIB, undefined);
  });
});
