/**
 * The blocks of a table file, and whether each is what LevelDB wrote.
 *
 * LevelDB does not look at its checksums when it reads, and a key that is not what it was ends the process in the middle of a compaction:
 * so a block that is damaged is made one that LevelDB refuses, by a kind of compression that there is not.
 *
 * ```
 * data block … filter block, metaindex block, index block, footer
 * block   contents, kind (1 byte), masked CRC-32C of both (4 bytes)
 * footer  handles of metaindex and index, padding, magic; 48 bytes
 * handle  offset, size as varints
 * ```
 *
 * Source: https://github.com/google/leveldb/blob/main/doc/table_format.md.
 */
import { maskedCrc32c } from './crc32c.ts';
import { unsnappy } from './snappy.ts';
import { varint } from './varint.ts';

/** Where the contents of a block are. */
export interface Handle {
  readonly offset: number;
  readonly size: number;
}

export interface TableCheck {
  /** undefined when not even the list of blocks can be read: everything in the file is lost */
  readonly blocks: number | undefined;
  readonly damaged: readonly Handle[];
}

const FOOTER_BYTES = 48;
const MAGIC = Buffer.from('57fb808b247547db', 'hex');
const PLAIN = 0;
const SNAPPY = 1;
const NO_KIND = 0xff;

export function checkTable(file: Buffer): TableCheck {
  const footer = file.subarray(Math.max(file.length - FOOTER_BYTES, 0));
  if (footer.length < FOOTER_BYTES || !footer.subarray(-MAGIC.length).equals(MAGIC)) return { blocks: undefined, damaged: [] };
  const metaindex = handleAt(footer, 0);
  const index = metaindex && handleAt(footer, metaindex.next);
  if (metaindex === undefined || index === undefined) return { blocks: undefined, damaged: [] };
  const listed = blocksIn(file, index);
  if (listed === undefined) return { blocks: undefined, damaged: [index] };
  const filters = blocksIn(file, metaindex) ?? [];
  const blocks = [...listed, metaindex, ...filters];
  return { blocks: blocks.length + 1, damaged: blocks.filter((block) => !isWhole(file, block)) };
}

/** Where a byte has to be written, and which, so that LevelDB refuses the block. */
export function refusal({ offset, size }: Handle): { readonly at: number; readonly byte: number } {
  return { at: offset + size, byte: NO_KIND };
}

function isWhole(file: Buffer, { offset, size }: Handle): boolean {
  const end = offset + size + 1;
  if (end + 4 > file.length) return false;
  const kind = file[end - 1];
  return (kind === PLAIN || kind === SNAPPY) && maskedCrc32c(file.subarray(offset, end)) === file.readUInt32LE(end);
}

/** The handles that an index holds as values. @returns undefined when it is damaged */
function blocksIn(file: Buffer, handle: Handle): Handle[] | undefined {
  if (!isWhole(file, handle)) return undefined;
  const stored = file.subarray(handle.offset, handle.offset + handle.size);
  const block = file[handle.offset + handle.size] === SNAPPY ? unsnappy(stored) : stored;
  if (block === undefined || block.length < 4) return undefined;
  const end = block.length - 4 - block.readUInt32LE(block.length - 4) * 4;
  const handles: Handle[] = [];
  for (let at = 0; at < end;) {
    const shared = varint(block, at);
    const own = shared && varint(block, shared[1]);
    const size = own && varint(block, own[1]);
    if (own === undefined || size === undefined) return undefined;
    const value = size[1] + own[0];
    const each = handleAt(block, value);
    if (each === undefined) return undefined;
    handles.push(each);
    at = value + size[0];
  }
  return handles;
}

function handleAt(bytes: Buffer, at: number): (Handle & { readonly next: number }) | undefined {
  const offset = varint(bytes, at);
  const size = offset && varint(bytes, offset[1]);
  return size && { offset: offset[0], size: size[0], next: size[1] };
}
