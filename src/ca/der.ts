/**
 * Short names for node-forge's ASN.1, as far as certificates need it. Pure.
 *
 * node-forge keeps bytes as strings of Latin-1 characters (and a BMPString as a plain one); only this file knows.
 * Source: ITU-T X.690 (DER).
 */
import type forge from 'node-forge';
// This part alone: all of node-forge has its own TLS, SSH and more, a megabyte of heap that every collection would go through.
import asn1 from 'node-forge/lib/asn1.js';

const { Class, Type } = asn1;

export type Asn1 = forge.asn1.Asn1;

/** node-forge's types lack these options. A bit string must stay bytes even when they happen to look like ASN.1. */
const parse = asn1.fromDer as unknown as (bytes: string, options: { readonly decodeBitStrings: boolean }) => Asn1;

/** They lack context-specific tags too: there `type` is any number. */
const create: (tagClass: number, type: number, constructed: boolean, value: string | Asn1[]) => Asn1 = asn1.create;

const universal = (type: forge.asn1.Type, bytes: string): Asn1 => create(Class.UNIVERSAL, type, false, bytes);
const latin1 = (bytes: Buffer): string => bytes.toString('latin1');

export const sequence = (...items: Asn1[]): Asn1 => create(Class.UNIVERSAL, Type.SEQUENCE, true, items);
export const set = (...items: Asn1[]): Asn1 => create(Class.UNIVERSAL, Type.SET, true, items);
export const oid = (dotted: string): Asn1 => universal(Type.OID, asn1.oidToDer(dotted).getBytes());
export const nothing = (): Asn1 => universal(Type.NULL, '');
export const yes = (): Asn1 => universal(Type.BOOLEAN, '\xff');
export const utf8 = (text: string): Asn1 => universal(Type.UTF8, latin1(Buffer.from(text)));
export const bmpString = (text: string): Asn1 => universal(Type.BMPSTRING, text);
export const octets = (bytes: Buffer): Asn1 => universal(Type.OCTETSTRING, latin1(bytes));
export const bits = (bytes: Buffer, unused = 0): Asn1 => universal(Type.BITSTRING, String.fromCharCode(unused) + latin1(bytes));

/** @param bytes two's complement, big-endian, and no byte more than needed */
export const integer = (bytes: Buffer): Asn1 => universal(Type.INTEGER, latin1(bytes));

/** Context-specific and explicit: `[tag] item`. */
export const explicit = (tag: number, ...items: Asn1[]): Asn1 => create(Class.CONTEXT_SPECIFIC, tag, true, items);

/** Context-specific and implicit, of a primitive type: `[tag] bytes`. */
export const implicit = (tag: number, bytes: Buffer): Asn1 => create(Class.CONTEXT_SPECIFIC, tag, false, latin1(bytes));

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on; whole seconds. */
export function time(ms: number): Asn1 {
  const date = new Date(ms);
  return date.getUTCFullYear() < 2050
    ? universal(Type.UTCTIME, asn1.dateToUtcTime(date))
    : universal(Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(date));
}

export function toDer(node: Asn1): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), 'latin1');
}

/** @throws Error when the bytes are not DER */
export function fromDer(bytes: Buffer): Asn1 {
  return parse(latin1(bytes), { decodeBitStrings: false });
}

/** The parts of a constructed value, or none. */
export function itemsOf(node: Asn1 | undefined): readonly Asn1[] {
  return node !== undefined && typeof node.value !== 'string' ? node.value : [];
}

/** The content of a primitive value, or nothing. */
export function bytesOf(node: Asn1 | undefined): Buffer {
  return Buffer.from(node !== undefined && typeof node.value === 'string' ? node.value : '', 'latin1');
}

/** Whether it is `[tag] …`. */
export function isTagged(node: Asn1, tag: number): boolean {
  const type: number = node.type;
  return node.tagClass === Class.CONTEXT_SPECIFIC && type === tag;
}

export function isOid(node: Asn1 | undefined, dotted: string): boolean {
  return node?.type === Type.OID && node.value === asn1.oidToDer(dotted).getBytes();
}
