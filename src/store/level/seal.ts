/**
 * Values with a checksum of key and value in front: LevelDB gives out what it reads as it is, and a record id with one wrong digit
 * would have a revisit refer to nothing.
 *
 * ```
 * \x01 CRC-32 in base 36, 7 digits, value
 * JSON                                     of a version without, and places in rows, which name what they are the places of
 * ```
 */
import { crc32 } from 'node:zlib';

const SEALED = '\x01';
const DIGITS = 7;
const HEAD = SEALED.length + DIGITS;

/** @param key as it stands in the database */
export function seal(key: string, value: string): string {
  return SEALED + sum(key, value) + value;
}

/** @returns the value; undefined when it, or its key, is not what was written */
export function unseal(key: string, sealed: string): string | undefined {
  if (!sealed.startsWith(SEALED)) return isJson(sealed) ? sealed : undefined;
  const value = sealed.slice(HEAD);
  return sealed.slice(SEALED.length, HEAD) === sum(key, value) ? value : undefined;
}

function sum(key: string, value: string): string {
  return crc32(value, crc32(key)).toString(36).padStart(DIGITS, '0');
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
