/**
 * Reads a tar file, member by member: ustar and older, GNU long names, pax headers. Nothing of it is held but one piece and one name.
 *
 * What readers disagree about is refused, so that what is checked here is what anybody unpacks: names that are not UTF-8, sizes that are
 * told twice and differently, sparse files, kinds nobody knows.
 * Source: POSIX.1-2017, pax; GNU tar manual, "Basic Tar Format", types `L` and `K`.
 */
import { badArchive } from './errors.ts';
import { BLOCK, parseHeader, parsePax, type Header } from './tar-header.ts';
import { TarSource } from './tar-source.ts';

export interface TarMember {
  /** as it stands in the archive */
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'symlink' | 'link';
  /** bytes; 0 but for files */
  readonly size: number;
  readonly mode: number;
  readonly mtime: Date;
  /** what a link leads to; empty otherwise */
  readonly target: string;
  /** To be read before the next member is asked for; what is not read is passed over. */
  readonly content: () => AsyncGenerator<Buffer, void, undefined>;
}

const KINDS: Readonly<Record<string, TarMember['kind']>> = { 0: 'file', 7: 'file', 1: 'link', 2: 'symlink', 5: 'folder' };
const REFUSED_KINDS: Readonly<Record<string, string>> = { 3: 'a device', 4: 'a device', 6: 'a FIFO', S: 'a sparse file' };
const MAX_PAX_BYTES = 1024 * 1024;
const MAX_LONG_NAME_BYTES = 65_536;
/** Headers in front of a member: a name, a link's name, and pax for all and for one. */
const MAX_EXTENSIONS = 8;

interface Extensions {
  readonly pax: Map<string, Buffer>;
  readonly longName: Buffer | undefined;
  readonly longLink: Buffer | undefined;
}

/**
 * @param pieces the bytes, not compressed
 * @param maxBytes of all of them, headers included
 * @throws Refusal, and what `pieces` throws
 */
export async function* readTar(pieces: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<TarMember, void, undefined> {
  const source = new TarSource(pieces, maxBytes);
  const global = new Map<string, Buffer>();
  try {
    for (;;) {
      const next = await nextHeader(source, global);
      if (next === undefined) break;
      const member = memberOf(next.header, next.extensions);
      const padding = (BLOCK - (member.size % BLOCK)) % BLOCK;
      let left = member.size;
      async function* content() {
        while (left > 0) {
          const piece = await source.upTo(left);
          left -= piece.length;
          yield piece;
        }
      }
      yield { ...member, content };
      await source.skip(left + padding);
    }
    // Whether the rest is whole is seen only by reading it: the checksum of gzip stands at its end.
    await source.drain();
  } finally {
    await source.close();
  }
}

async function nextHeader(source: TarSource, global: Map<string, Buffer>): Promise<{ header: Header; extensions: Extensions } | undefined> {
  let pax = new Map(global);
  let longName: Buffer | undefined;
  let longLink: Buffer | undefined;
  for (let count = 0; count <= MAX_EXTENSIONS; count++) {
    const block = await source.exactly(BLOCK, count === 0);
    const header = block === undefined ? undefined : parseHeader(block);
    if (header === undefined) {
      if (count > 0) throw badArchive('the archive is cut: a header says how a file is called, and there is no file');
      return undefined;
    }
    const { flag } = header;
    if (flag === 'x' || flag === 'X') pax = new Map([...pax, ...parsePax(await extension(source, header, MAX_PAX_BYTES))]);
    else if (flag === 'g') {
      for (const [key, value] of parsePax(await extension(source, header, MAX_PAX_BYTES))) {
        global.set(key, value);
        pax.set(key, value);
      }
    } else if (flag === 'L') longName = withoutNul(await extension(source, header, MAX_LONG_NAME_BYTES));
    else if (flag === 'K') longLink = withoutNul(await extension(source, header, MAX_LONG_NAME_BYTES));
    else return { header, extensions: { pax, longName, longLink } };
  }
  throw badArchive('expected a tar archive, got one with too many headers in front of a file');
}

async function extension(source: TarSource, { size }: Header, max: number): Promise<Buffer> {
  if (size > max) throw badArchive(`a header of the archive has ${size} bytes, at most ${max} are read`);
  const bytes = size === 0 ? Buffer.alloc(0) : await source.exactly(size, false);
  await source.skip((BLOCK - (size % BLOCK)) % BLOCK);
  return bytes ?? Buffer.alloc(0);
}

function withoutNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end === -1 ? bytes : bytes.subarray(0, end);
}

function memberOf(header: Header, { pax, longName, longLink }: Extensions): Omit<TarMember, 'content'> {
  const name = textOf(valueOf(pax, 'path') ?? longName ?? header.name);
  const kind = KINDS[header.flag];
  if (kind === undefined) {
    const what = REFUSED_KINDS[header.flag] ?? `of a kind that is not known (${JSON.stringify(header.flag)})`;
    throw badArchive(`${JSON.stringify(name)} is ${what}: expected files, folders and links`);
  }
  if ([...pax.keys()].some((key) => key.startsWith('GNU.sparse.')))
    throw badArchive(`${JSON.stringify(name)} is a sparse file: expected files, folders and links`);
  const isLink = kind === 'link' || kind === 'symlink';
  const size = sizeOf(header, pax, name);
  const mtime = Number(valueOf(pax, 'mtime')?.toString('latin1') ?? header.mtime);
  return {
    name,
    kind,
    // Some write the size of the file that a link leads to; nothing follows all the same.
    size: kind === 'file' ? size : 0,
    mode: header.mode,
    mtime: new Date(Number.isFinite(mtime) && mtime >= 0 && mtime < 2 ** 40 ? mtime * 1000 : 0),
    target: isLink ? textOf(valueOf(pax, 'linkpath') ?? longLink ?? header.linkName) : '',
  };
}

/** An empty value takes back what was said before. */
function valueOf(pax: ReadonlyMap<string, Buffer>, key: string): Buffer | undefined {
  const value = pax.get(key);
  return value === undefined || value.length === 0 ? undefined : value;
}

function sizeOf({ size }: Header, pax: ReadonlyMap<string, Buffer>, name: string): number {
  const stated = valueOf(pax, 'size')?.toString('latin1');
  if (stated === undefined) return size;
  const told = /^\d{1,15}$/.test(stated) ? Number(stated) : NaN;
  // Who writes one because the other has too few digits leaves that at 0.
  if (!(told >= 0) || (size !== 0 && size !== told)) throw badArchive(`${JSON.stringify(name)} has two sizes: ${size} and ${stated}`);
  return told;
}

function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw badArchive(`the name ${JSON.stringify(bytes.toString('latin1').slice(0, 200))} is not in UTF-8`, error);
  }
}
