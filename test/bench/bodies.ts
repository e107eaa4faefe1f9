/**
 * Bodies that an origin sends. Those of one kind and size are the same in every run. Pure.
 */
import { createCipheriv } from 'node:crypto';
import type { BodyKind } from './workloads.ts';

/** The first characters of a body are overwritten with a number that tells it from all others. */
export const COUNTER_CHARS = 12;

const TEXTS = 64;
const WORDS = 1500;
const TAGS = ['p', 'li', 'td', 'h2', 'span class="caption"', 'a href="/articles/archive"', 'div class="teaser wide"'];

/** One body, or for text some that differ. */
export function bodies(kind: BodyKind, size: number): readonly Buffer[] {
  const random = randomBytes(Math.max(size, 1 << 20));
  if (kind !== 'text') return [random.subarray(0, size)];
  const words = vocabulary(random);
  return Array.from({ length: TEXTS }, (_, index) => text(words, random.subarray(index * 4096), size));
}

/** What a cipher makes of zeros: looks random, and is the same every time. */
function randomBytes(length: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16, 2)).update(Buffer.alloc(length));
}

function vocabulary(random: Buffer): readonly string[] {
  const letter = (at: number) => 'etaoinshrdlucmfwypvbgk'[(random[at] ?? 0) % 22] ?? 'e';
  return Array.from({ length: WORDS }, (_, word) =>
    Array.from({ length: 2 + ((random[word] ?? 0) % 8) }, (_, at) => letter(word * 10 + at)).join(''),
  );
}

/** Compresses like the HTML of a page: to about a quarter at 50 kB. */
function text(words: readonly string[], random: Buffer, size: number): Buffer {
  let html = `${'0'.repeat(COUNTER_CHARS)}<!doctype html><title>`;
  for (let at = 0; html.length < size; at += 2) {
    const pick = random.readUInt16LE(at % (random.length - 2)) ^ Math.imul(at >> 12, 40_503);
    // Frequent words are frequent: the square of an even number between 0 and 1.
    const share = ((pick & 0xffff) / 0x10000) ** 2;
    html += (words[Math.floor(share * WORDS)] ?? '') + (pick % 11 === 0 ? `</p>\n<${TAGS[pick % TAGS.length]}>` : ' ');
  }
  return Buffer.from(html.slice(0, size));
}
