/**
 * The Huffman code of HPACK.
 *
 * Source: RFC 7541 §5.2 and appendix B. The code is canonical: symbols of one length have codes that follow each other, shorter ones first,
 * so that the lengths say all of it.
 */

/** Bits of the code of each octet, and of the end (EOS) behind them; `a` is 10, `u` 30. */
const LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f56565666577666567655677777fbedsk' +
  'mkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmnlmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu';
const EOS = 256;

const lengths = Uint8Array.from(LENGTHS, (letter) => parseInt(letter, 36));
const codes = new Uint32Array(EOS + 1);

/** For a node of the tree and four bits: the next node, and what was found on the way there. */
const next = new Uint16Array(256 * 16);
const FOUND = 0x100;
/** of a byte each: the octet found where FOUND is set */
const found = new Uint8Array(256 * 16);
/** no way leads on: the code of EOS */
const NO_NODE = 0xffff;
/** nodes at which a string may end: less than eight bits, all of them 1 */
const mayEnd = new Uint8Array(256);

build();

function build(): void {
  const symbols = Array.from(lengths, (_, symbol) => symbol).sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  // Inner nodes by number, root 0; a child is a node, or -1 - symbol.
  const tree: [number, number][] = [[NaN, NaN]];
  let code = 0;
  let before = 0;
  for (const symbol of symbols) {
    const length = lengths[symbol] ?? 0;
    code = code * 2 ** (length - before);
    before = length;
    codes[symbol] = code;
    insert(tree, code, length, symbol);
    code++;
  }
  tree.forEach((_, node) => {
    for (let bits = 0; bits < 16; bits++) step(tree, node, bits);
  });
  for (let node = 0, depth = 0; depth < 8; depth++) {
    mayEnd[node] = 1;
    node = tree[node]?.[1] ?? 0;
  }
}

function insert(tree: [number, number][], code: number, length: number, symbol: number): void {
  let node = 0;
  for (let bit = length - 1; bit > 0; bit--) {
    const side = (code >>> bit) & 1;
    const children = tree[node] ?? [NaN, NaN];
    if (Number.isNaN(children[side])) children[side] = tree.push([NaN, NaN]) - 1;
    node = children[side] ?? 0;
  }
  const leaf = tree[node];
  if (leaf !== undefined) leaf[code & 1] = -1 - symbol;
}

function step(tree: readonly [number, number][], from: number, bits: number): void {
  let node = from;
  const at = from * 16 + bits;
  let flag = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const child = tree[node]?.[((bits >>> bit) & 1) as 0 | 1] ?? NaN;
    if (child >= 0) {
      node = child;
    } else if (child === -1 - EOS || Number.isNaN(child)) {
      next[at] = NO_NODE;
      return;
    } else {
      found[at] = -1 - child;
      flag = FOUND;
      node = 0;
    }
  }
  next[at] = node | flag;
}

let scratch = Buffer.allocUnsafeSlow(4096);

/** @returns the text, Latin-1; undefined when it is not coded as it has to be */
export function huffmanDecode(bytes: Buffer, from: number, to: number): string | undefined {
  // The shortest code has five bits.
  if (scratch.length < 2 * (to - from)) scratch = Buffer.allocUnsafeSlow(2 * (to - from));
  let node = 0;
  let length = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0;
    for (let shift = 4; shift >= 0; shift -= 4) {
      const way = node * 16 + ((byte >>> shift) & 15);
      const to = next[way] ?? NO_NODE;
      if (to === NO_NODE) return undefined;
      if (to >= FOUND) scratch[length++] = found[way] ?? 0;
      node = to & 0xff;
    }
  }
  return mayEnd[node] === 1 ? scratch.toString('latin1', 0, length) : undefined;
}

/** @param text Latin-1 @returns bytes that it takes coded */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let at = 0; at < text.length; at++) bits += lengths[text.charCodeAt(at) & 0xff] ?? 0;
  return (bits + 7) >>> 3;
}

/** @param text Latin-1 @returns where it ends */
export function huffmanEncode(text: string, into: Buffer, from: number): number {
  let at = from;
  let bits = 0;
  let count = 0;
  for (let index = 0; index < text.length; index++) {
    const symbol = text.charCodeAt(index) & 0xff;
    const length = lengths[symbol] ?? 0;
    let code = codes[symbol] ?? 0;
    let left = length;
    // At most 7 bits wait, and a code has at most 30.
    if (left > 24) {
      const high = left - 24;
      bits = (bits << high) | (code >>> 24);
      count += high;
      code &= 0xffffff;
      left = 24;
      for (; count >= 8; count -= 8) into[at++] = bits >>> (count - 8);
      bits &= 0xff;
    }
    bits = (bits << left) | code;
    count += left;
    for (; count >= 8; count -= 8) into[at++] = bits >>> (count - 8);
    bits &= 0xff;
  }
  if (count > 0) into[at++] = (bits << (8 - count)) | (0xff >>> count);
  return at;
}
