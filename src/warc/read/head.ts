/**
 * How long a record is, by its header: nothing else of it is read.
 *
 * Source: ISO 28500:2017 §4.
 */

export interface Head {
  /** bytes of version line, fields and empty line */
  readonly headBytes: number;
  readonly contentLength: number;
}

/** The longest URL that the proxy takes has 4 MiB; readers may read ahead. */
export const MAX_HEAD_BYTES = 16 * 1024 * 1024;
export const HEAD_END = Buffer.from('\r\n\r\n');
export const VERSION_LINE = /^WARC\/\d+\.\d+[ \t]*\r\n/;

const VERSION = Buffer.from('WARC/');
const ZIP = 'PK\x03\x04';

/** What a file is instead, by its first characters: a WACZ is a ZIP file, with WARC files inside. */
export function notWarc(start: string): string {
  if (!start.startsWith(ZIP)) return 'does not begin with a WARC version';
  return 'is a ZIP file, such as a WACZ: unpack it (unzip FILE) and name the WARC files in its archive folder';
}

/** @returns undefined while the header is not complete */
export function parseHead(bytes: Buffer): Head | undefined {
  const start = bytes.subarray(0, VERSION.length);
  if (!start.equals(VERSION.subarray(0, start.length))) throw new Error(notWarc(bytes.toString('latin1', 0, ZIP.length)));
  const end = bytes.indexOf(HEAD_END);
  if (end === -1) return undefined;
  const text = bytes.toString('utf8', 0, end + 2);
  if (!VERSION_LINE.test(text)) throw new Error('does not begin with a WARC version');
  const length = lengthIn(text);
  if (length === undefined) throw new Error('has no valid Content-Length');
  return { headBytes: end + HEAD_END.length, contentLength: length };
}

/** As the reader reads it: of exactly one field, and lenient in its white space. */
function lengthIn(text: string): number | undefined {
  const usual = /\ncontent-length[ \t]*:[ \t]*(\d{1,15})[ \t]*\r\n/i.exec(text)?.[1];
  if (usual !== undefined && text.match(/content-length/gi)?.length === 1) return Number(usual);
  const lengths: string[] = [];
  let [name, value] = ['', ''];
  const take = () => {
    if (name === 'content-length' && value !== '') lengths.push(value);
  };
  for (const line of text.split('\n').slice(1)) {
    const colon = line.indexOf(':');
    if (value !== '' && /^[ \t]/.test(line)) {
      value += line.trimEnd();
    } else {
      take();
      [name, value] = colon === -1 ? ['', ''] : [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    }
  }
  take();
  const [length = ''] = lengths;
  return lengths.length === 1 && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}
