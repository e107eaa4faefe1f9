/**
 * `JSON.parse` of a long list in steps, a group of its members at a time, without a copy of the whole text.
 *
 * The commas between the members are found without reading what is in between; each group is then read with brackets around it, and has to
 * be JSON by itself, so that nothing is taken for a list that is none. All that is looked for is ASCII, and so the same in UTF-8.
 */
import { MAX_DEPTH } from './json.ts';
import type { Steps } from '../util/slices.ts';

/** Looking at so much, or reading it, takes some tenths of a millisecond. */
const GROUP_BYTES = 16 * 1024;

export type Listed = 'no list' | 'nested too deeply' | 'a member too long' | unknown[];

/**
 * @param encoding of the bytes
 * @param maxMemberBytes of one member, which is read at once
 * @throws SyntaxError
 */
export function* parseList(bytes: Buffer, encoding: 'utf8' | 'latin1', maxMemberBytes: number): Steps<Listed> {
  const begin = afterSpace(bytes, 0);
  if (bytes[begin] !== 0x5b) return 'no list';
  const list: unknown[] = [];
  let from = begin + 1;
  let pausedAt = from;
  let depth = 1;
  let inString = false;
  for (let at = from; at < bytes.length; at++) {
    if (at - pausedAt > GROUP_BYTES) {
      if (at - from > maxMemberBytes + GROUP_BYTES) return 'a member too long';
      pausedAt = at;
      yield;
    }
    const c = bytes[at];
    if (inString) {
      if (c === 0x5c) at++;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x5b || c === 0x7b) {
      if (++depth > MAX_DEPTH) return 'nested too deeply';
    } else if (c === 0x5d || c === 0x7d) {
      if (--depth > 0) continue;
      add(list, bytes.toString(encoding, from, at));
      if (c !== 0x5d || afterSpace(bytes, at + 1) < bytes.length) throw new SyntaxError('something else than the end of a list');
      return list;
    } else if (c === 0x2c && depth === 1 && at - from >= GROUP_BYTES) {
      add(list, bytes.toString(encoding, from, at));
      from = at + 1;
      yield;
    }
  }
  throw new SyntaxError('a list without its end');
}

function add(list: unknown[], group: string): void {
  const members = JSON.parse(`[${group}]`) as unknown[];
  if (members.length === 0 && list.length > 0) throw new SyntaxError('a comma without a member behind it');
  for (const member of members) list.push(member);
}

/** @returns index of the first byte that is no white space (RFC 8259 §2) */
function afterSpace(bytes: Buffer, at: number): number {
  let end = at;
  while (bytes[end] === 0x20 || bytes[end] === 0x09 || bytes[end] === 0x0a || bytes[end] === 0x0d) end++;
  return end;
}
