/**
 * WARC-Record-IDs, each as one flat text: `randomUUID()` puts one together of twenty pieces, which are all made flat when it is written.
 *
 * Source: ISO 28500:2017 §5.2, RFC 9562 §5.4 (version 4).
 */
import { randomFillSync } from 'node:crypto';

const UUID_BYTES = 16;
/** So many are drawn at once. */
const DRAWN = 256;
const random = Buffer.allocUnsafeSlow(DRAWN * UUID_BYTES);
let used = random.length;

const text = Buffer.from('<urn:uuid:00000000-0000-4000-8000-000000000000>');
/** where the two digits of each byte stand */
const PLACES = [10, 12, 14, 16, 19, 21, 24, 26, 29, 31, 34, 36, 38, 40, 42, 44];
const DIGITS = Buffer.from('0123456789abcdef');

/** `<urn:uuid:…>`, a new one at each call */
export function newRecordId(): string {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  for (let nth = 0; nth < UUID_BYTES; nth++) {
    let byte = random[used + nth] ?? 0;
    if (nth === 6) byte = (byte & 0x0f) | 0x40;
    else if (nth === 8) byte = (byte & 0x3f) | 0x80;
    const place = PLACES[nth] ?? 0;
    text[place] = DIGITS[byte >> 4] ?? 0;
    text[place + 1] = DIGITS[byte & 0x0f] ?? 0;
  }
  used += UUID_BYTES;
  return text.toString('latin1');
}
