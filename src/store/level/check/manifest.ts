/**
 * Which tables are a part of the database: a process that was killed leaves others, half-written ones among them, which LevelDB deletes.
 *
 * Source: https://github.com/google/leveldb/blob/main/db/version_edit.cc (tags), doc/log_format.md (records in pieces).
 */
import { recordsIn } from './log.ts';
import { varint } from './varint.ts';

/** What stands behind each tag: numbers, and texts with their length. */
const SHAPES: Readonly<Record<number, readonly ('number' | 'text')[]>> = {
  1: ['text'],
  2: ['number'],
  3: ['number'],
  4: ['number'],
  5: ['number', 'text'],
  6: ['number', 'number'],
  7: ['number', 'number', 'number', 'text', 'text'],
  9: ['number'],
};
const DELETED = 6;
const ADDED = 7;

/** @returns the numbers of their files; undefined when it is not understood */
export function tablesIn(manifest: Buffer): ReadonlySet<number> | undefined {
  const live = new Set<number>();
  for (const record of recordsIn(manifest)) {
    for (let at = 0; at < record.length;) {
      const tag = varint(record, at);
      const shape = SHAPES[tag?.[0] ?? 0];
      if (tag === undefined || shape === undefined) return undefined;
      at = tag[1];
      const numbers: number[] = [];
      for (const part of shape) {
        const read = varint(record, at);
        if (read === undefined) return undefined;
        numbers.push(read[0]);
        at = part === 'text' ? read[1] + read[0] : read[1];
      }
      const [, table = 0] = numbers;
      if (tag[0] === ADDED) live.add(table);
      if (tag[0] === DELETED) live.delete(table);
    }
  }
  return live;
}
