import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headsOf, memoryPieces } from '../../src/warc/layout.ts';
import { bytesOf, recordOf, type NewRecord } from '../../src/warc/record.ts';

const record = (name: string): NewRecord =>
  recordOf('<urn:x>', 'resource', '2026-01-02T03:04:05Z', `X: ${name}\r\n`, bytesOf(Buffer.from(name)), '1.1');

for (const [what, names] of [
  ['ASCII', ['a', '', 'bcd']],
  ['more than that', ['a', 'é', 'b', '\u{1f600}', 'c']],
] as const) {
  test(`headers of many records with ${what}, made at once, are each its own`, () => {
    const records = names.map(record);
    const headOf = headsOf(records);
    for (const each of records) {
      const together = Buffer.concat(memoryPieces(each, headOf) ?? []).toString();
      assert.equal(together, `${each.head}${Buffer.concat(each.block.memory ?? []).toString()}\r\n\r\n`);
      assert.deepEqual(
        memoryPieces(each),
        memoryPieces(each, () => Buffer.from(each.head)),
      );
    }
  });
}
