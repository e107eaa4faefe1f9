/**
 * Which kind of picture bytes are, of those that every browser shows and that hold no script.
 *
 * Source: MIME Sniffing Standard §6.1; ISO/IEC 23000-22 (AVIF).
 */
const SIGNS: readonly (readonly [type: string, sign: RegExp])[] = [
  ['image/png', /^\x89PNG\r\n\x1a\n/],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF[^]{4}WEBPVP/],
  ['image/avif', /^[^]{4}ftypavi[fs]/],
  ['image/bmp', /^BM[^]{4}\0\0\0\0/],
  ['image/x-icon', /^\0\0\x01\0/],
];

export function pictureType(bytes: Buffer): string | undefined {
  const beginning = bytes.toString('latin1', 0, 16);
  return SIGNS.find(([, sign]) => sign.test(beginning))?.[0];
}
