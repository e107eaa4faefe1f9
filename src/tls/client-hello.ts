/**
 * Reads what a client says first in TLS, as far as another hello can be made like it. Bytes in, values out; nothing is taken for valid.
 *
 * Source: RFC 8446 §4.1.2 (ClientHello), §5.1 (records); RFC 8701 (GREASE); RFC 7301 (ALPN).
 */

export interface ClientHello {
  /** of suites, in the client's order, without GREASE; so are the others */
  readonly ciphers: readonly number[];
  /** types of extensions */
  readonly extensions: readonly number[];
  readonly groups: readonly number[];
  readonly signatures: readonly number[];
  /** none without the extension */
  readonly versions: readonly number[];
  readonly legacyVersion: number;
  readonly pointFormats: readonly number[];
  /** names of protocols; none without the extension */
  readonly alpn: readonly string[];
}

/** The longest that is read: that of a browser has 2 kB, with keys that resist quantum computers. */
export const MAX_HELLO_BYTES = 16 * 1024;

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const RANDOM_BYTES = 32;
const EXTENSION = { groups: 10, pointFormats: 11, signatures: 13, alpn: 16, versions: 43 } as const;

/**
 * @param bytes from the first of a connection on
 * @returns the hello, `more` while it is not whole, or undefined when it is none, or is too long
 */
export function parseClientHello(bytes: Buffer): ClientHello | 'more' | undefined {
  const message = handshakeIn(bytes);
  if (!Buffer.isBuffer(message)) return message === 'more' && bytes.length > MAX_HELLO_BYTES ? undefined : message;
  try {
    return helloIn(new Cursor(message));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The first handshake message, which may stand in several records. */
function handshakeIn(bytes: Buffer): Buffer | 'more' | undefined {
  const parts: Buffer[] = [];
  let have = 0;
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] !== HANDSHAKE_RECORD || (at + 1 < bytes.length && bytes[at + 1] !== 3)) return undefined;
    if (at + 5 > bytes.length) return 'more';
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > MAX_HELLO_BYTES) return undefined;
    const part = bytes.subarray(at + 5, at + 5 + length);
    parts.push(part);
    have += part.length;
    at += 5 + length;
    const joined = Buffer.concat(parts, have);
    if (joined.length > 0 && joined[0] !== CLIENT_HELLO) return undefined;
    if (joined.length < 4) continue;
    const wanted = joined.readUIntBE(1, 3);
    if (wanted > MAX_HELLO_BYTES) return undefined;
    if (joined.length >= 4 + wanted) return joined.subarray(4, 4 + wanted);
  }
  return 'more';
}

function helloIn(cursor: Cursor): ClientHello {
  const legacyVersion = cursor.number(2);
  cursor.bytes(RANDOM_BYTES);
  cursor.vector(1);
  const ciphers = withoutGrease(cursor.vector(2).numbers(2));
  cursor.vector(1);
  const found = new Map<number, Cursor>();
  const extensions: number[] = [];
  if (cursor.left > 0) {
    const listed = cursor.vector(2);
    while (listed.left > 0) {
      const type = listed.number(2);
      extensions.push(type);
      found.set(type, listed.vector(2));
    }
  }
  const numbers = (type: number, lengthBytes: number, bytes: number) => found.get(type)?.vector(lengthBytes).numbers(bytes) ?? [];
  const names: string[] = [];
  const listedNames = found.get(EXTENSION.alpn)?.vector(2);
  while (listedNames !== undefined && listedNames.left > 0) names.push(listedNames.vector(1).rest().toString('latin1'));
  return {
    ciphers,
    extensions: withoutGrease(extensions),
    groups: withoutGrease(numbers(EXTENSION.groups, 2, 2)),
    signatures: withoutGrease(numbers(EXTENSION.signatures, 2, 2)),
    versions: withoutGrease(numbers(EXTENSION.versions, 1, 2)),
    legacyVersion,
    pointFormats: numbers(EXTENSION.pointFormats, 1, 1),
    alpn: names.filter((name) => !/^(.)\1$/s.test(name) || !isGrease(name.charCodeAt(0) * 0x101)),
  };
}

function withoutGrease(values: readonly number[]): readonly number[] {
  return values.filter((value) => !isGrease(value));
}

/** `0x?a?a`, both bytes the same. */
function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);
}

/** @throws RangeError past the end */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  bytes(count: number): Buffer {
    if (count > this.left) throw new RangeError('past the end');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  rest(): Buffer {
    return this.bytes(this.left);
  }

  number(size: number): number {
    return this.bytes(size).readUIntBE(0, size);
  }

  /** What stands behind its own length. */
  vector(lengthBytes: number): Cursor {
    return new Cursor(this.bytes(this.number(lengthBytes)));
  }

  numbers(size: number): readonly number[] {
    const numbers: number[] = [];
    while (this.left > 0) numbers.push(this.number(size));
    return numbers;
  }
}
