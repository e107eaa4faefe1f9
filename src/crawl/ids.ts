/**
 * Identifiers: 16 bytes, a UUID in network byte order (RFC 9562), version 4 where they are made here.
 */
import { randomUUID } from 'node:crypto';
import { Failure } from './failure.ts';

const BYTES = 16;

export function newId(): Uint8Array {
  return Uint8Array.from(Buffer.from(randomUUID().replaceAll('-', ''), 'hex'));
}

/** @returns the bytes themselves. @throws Failure for what is no identifier */
export function readId(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== BYTES) throw new Failure('Invalid ID');
  return bytes;
}

/** 32 lower-case hexadecimal digits, as in logs and as a key of maps. */
export function hexOf(id: Uint8Array): string {
  return Buffer.from(id).toString('hex');
}

/** With dashes, as error texts have it. */
export function uuidOf(id: Uint8Array): string {
  return hexOf(id).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
