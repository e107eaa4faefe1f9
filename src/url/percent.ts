/**
 * Percent-encodings made uniform: decoded as often as anything is left to decode, then encoded once.
 *
 * Works on bytes, as strings of Latin-1. Source: spec/warcprox.md §5 ("percent-encodings made uniform"), RFC 3986 §2.1.
 */

/** Bytes of UTF-8, one per character. */
export function utf8Bytes(text: string): string {
  return /[^\0-\x7f]/.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/**
 * All percent-encodings decoded, those too that come to light by decoding (`%2541` → `%41` → `A`).
 *
 * In one pass from left to right: a decoded byte may complete an encoding with what stands before it, never with what comes later.
 */
export function decodeFully(bytes: string): string {
  if (!bytes.includes('%')) return bytes;
  const out = Buffer.from(bytes, 'latin1');
  let end = 0;
  for (const byte of out) {
    out[end] = byte;
    end += 1;
    for (let value = encodedAt(out, end - 3); value >= 0; value = encodedAt(out, end - 3)) {
      end -= 2;
      out[end - 1] = value;
    }
  }
  return out.toString('latin1', 0, end);
}

/** Without what stands at both ends; a regex ending in `+$` would cost the square of a run that stands elsewhere. */
export function trimmed(text: string, isStray: (c: string) => boolean): string {
  let start = 0;
  let end = text.length;
  while (start < end && isStray(text.charAt(start))) start += 1;
  while (end > start && isStray(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

const ENCODED: readonly string[] = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`);

/** `%XX` of each byte that `what` (a global regex) finds. */
export function encode(bytes: string, what: RegExp): string {
  return bytes.replace(what, (c) => ENCODED[c.charCodeAt(0)] ?? c);
}

/** @returns the byte that three bytes encode, or -1 */
function encodedAt(bytes: Buffer, at: number): number {
  if (at < 0 || bytes[at] !== 0x25) return -1;
  const high = hexDigit(bytes[at + 1]);
  const low = hexDigit(bytes[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
