/** What is in a ZIP of which all fits into memory, by its central directory. Source: PKWARE APPNOTE 6.3 §4.3.12. */
import { inflateRawSync } from 'node:zlib';

export interface Unzipped {
  readonly bytes: Buffer;
  readonly stored: boolean;
}

/** In the order of the directory. */
export function unzipped(zip: Buffer): ReadonlyMap<string, Unzipped> {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const found = new Map<string, Unzipped>();
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [method, size] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20)];
    const [nameSize, extraSize, commentSize] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32)];
    const local = zip.readUInt32LE(at + 42);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const bytes = zip.subarray(start, start + size);
    const name = zip.toString('utf8', at + 46, at + 46 + nameSize);
    found.set(name, { bytes: method === 0 ? bytes : inflateRawSync(bytes), stored: method === 0 });
    at += 46 + nameSize + extraSize + commentSize;
  }
  return found;
}
