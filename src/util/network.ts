/**
 * IP addresses and networks as numbers, and the IPv4 addresses that IPv6 addresses stand for. Pure.
 *
 * Source: RFC 4291 §2.5.5 (compatible, mapped), RFC 2765 §2.1 (translated), RFC 6052 §2.1 and RFC 8215 (NAT64), RFC 3056 §2 (6to4),
 * RFC 4380 §4 (Teredo).
 */
import { isIPv4, isIPv6 } from 'node:net';

export type Family = 4 | 6;

export interface Address {
  readonly family: Family;
  readonly bits: bigint;
}

export interface Network extends Address {
  /** leading bits that count; the others of `bits` are zero */
  readonly prefix: number;
}

export const WIDTH: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };
const LOW_32 = 0xffff_ffffn;
const MAPPED = 0xffffn;

/** An address as it is connected to: a mapped IPv4 address is the IPv4 address. @returns undefined for what is none */
export function parseAddress(text: string): Address | undefined {
  const { address, mapped } = written(text) ?? {};
  return mapped ?? address;
}

/** Whether only this machine can connect to a socket that listens on this address. */
export function isLoopback(text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && (address.family === 4 ? address.bits >> 24n === 127n : address.bits === 1n);
}

/** Whether a socket that listens on this address listens on all of the machine's. */
export function isUnspecified(text: string): boolean {
  return parseAddress(text)?.bits === 0n;
}

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. @returns undefined for what is none, also when bits are set behind the prefix */
export function parseNetwork(text: string): Network | undefined {
  const [, host = '', digits] = /^([^/%]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const { address, mapped } = written(host) ?? {};
  if (address === undefined) return undefined;
  const prefix = digits === undefined ? WIDTH[address.family] : Number(digits);
  if (prefix > WIDTH[address.family] || truncated(address, prefix) !== address.bits) return undefined;
  return mapped !== undefined && prefix >= 96 ? { ...mapped, prefix: prefix - 96 } : { ...address, prefix };
}

/** The address with all bits behind the prefix cleared. */
export function truncated({ family, bits }: Address, prefix: number): bigint {
  const rest = BigInt(WIDTH[family] - prefix);
  return (bits >> rest) << rest;
}

/**
 * The address and those within it that a connection to it could end at: what any of them may not, it may not.
 *
 * The unspecified address leads to this machine's loopback.
 */
export function viewsOf(address: Address): readonly Address[] {
  if (address.family === 4) return address.bits === 0n ? [address, v4(0x7f00_0001n)] : [address];
  const { bits } = address;
  if (bits === 0n) return [address, { family: 6, bits: 1n }];
  if (bits === 1n) return [address];
  const inside = embedded(bits);
  return inside === undefined ? [address] : [address, ...viewsOf(v4(inside & LOW_32))];
}

function embedded(bits: bigint): bigint | undefined {
  const high = bits >> 32n;
  if (high === 0n || high === 0xffff_0000n) return bits; // compatible, translated
  if (high === 0x0064_ff9b_0000_0000_0000_0000n || bits >> 80n === 0x0064_ff9b_0001n) return bits; // NAT64: well-known, local
  if (bits >> 112n === 0x2002n) return bits >> 80n; // 6to4
  if (bits >> 96n === 0x2001_0000n) return ~bits; // Teredo: the client's address, inverted
  return undefined;
}

function v4(bits: bigint): Address {
  return { family: 4, bits };
}

function written(text: string): { address: Address; mapped: Address | undefined } | undefined {
  if (isIPv4(text)) return { address: v4(octets(text)), mapped: undefined };
  const [host = ''] = text.split('%', 1); // the zone of a link-local address
  if (!isIPv6(host)) return undefined;
  const bits = groups(host);
  return { address: { family: 6, bits }, mapped: bits >> 32n === MAPPED ? v4(bits & LOW_32) : undefined };
}

function octets(text: string): bigint {
  return text.split('.').reduce((bits, octet) => (bits << 8n) | BigInt(octet), 0n);
}

function groups(text: string): bigint {
  const dotted = /[\d.]+$/.exec(text)?.[0] ?? '';
  const low = dotted.includes('.') ? octets(dotted) : undefined;
  const plain = low === undefined ? text : `${text.slice(0, -dotted.length)}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  const [before = '', after] = plain.split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const all = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return all.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}
