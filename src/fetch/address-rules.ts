/**
 * Which addresses the proxy connects to. Asked about addresses, never about names: what a name means can change.
 *
 * One table of networks, the most specific one that holds the address decides. Of equals: --deny, --allow, what is banned by itself.
 * An IPv6 address that stands for an IPv4 one has to pass as both. Asked once for each connection made, not for each request.
 * Source: spec/warcprox.md §9; special-purpose addresses as in RFC 6890.
 */
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { parseAddress, parseNetwork, truncated, viewsOf, type Address, type Family, type Network } from '../util/network.ts';

export interface AddressRules {
  /** @returns why this address may not be connected to, or undefined when it may */
  refuse(address: string, port: number): string | undefined;
}

export interface AddressRuleOptions {
  /** lifts the ban on loopback and unspecified addresses */
  readonly allowLocalhost: boolean;
  /** networks, as options have them */
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  /** where the proxy listens; it never connects to itself, whatever is allowed */
  readonly listening: () => readonly AddressInfo[];
}

const REJECTED = 'request rejected by warcprox';
const LOCALHOST = `${REJECTED}: localhost access is not permitted (--allow-localhost of the proxy permits it)`;
const SPECIAL = `${REJECTED}: access to link-local and metadata addresses is not permitted (--allow of the proxy permits single ones)`;
const ITSELF = `${REJECTED}: localhost access is not permitted (this is where the proxy itself listens)`;
const DENIED = `${REJECTED}: access to this address is not permitted (--deny of the proxy forbids it)`;
const NO_ADDRESS = `${REJECTED}: access to this address is not permitted (it is none)`;

const LOOPBACK = ['127.0.0.0/8', '0.0.0.0/8', '::1', '::'];
const LINK_LOCAL = ['169.254.0.0/16', 'fe80::/10'];
/** Where clouds give a machine its own secrets; named one by one, so that a network around them does not open them. */
const METADATA = [
  ...['169.254.169.254', '169.254.170.2', '100.100.100.200', '168.63.129.16', '192.0.0.192'],
  ...['fd00:ec2::254', 'fd20:ce::254', 'fd00:c1::a9fe:a9fe', 'fd00:42::42'],
];

/** Why not, or undefined: allowed. */
type Verdict = string | undefined;

export function addressRules({ allowLocalhost, allow = [], deny = [], listening }: AddressRuleOptions): AddressRules {
  const decide = verdicts([
    ...networks(allowLocalhost ? [] : LOOPBACK).map((network) => [network, LOCALHOST] as const),
    ...networks([...LINK_LOCAL, ...METADATA]).map((network) => [network, SPECIAL] as const),
    ...networks(allow).map((network) => [network, undefined] as const),
    ...networks(deny).map((network) => [network, DENIED] as const),
  ]);

  return {
    refuse(text, port) {
      const address = parseAddress(text);
      if (address === undefined) return NO_ADDRESS;
      const views = viewsOf(address);
      for (const own of listening()) {
        if (own.port !== port) continue;
        const reached = ownAddresses(own);
        if (views.some((view) => reached(view))) return ITSELF;
      }
      for (const view of views) {
        const refusal = decide(view);
        if (refusal !== undefined) return refusal;
      }
      return undefined;
    },
  };
}

/** Of networks that are the same the last one counts. */
function verdicts(rules: readonly (readonly [Network, Verdict])[]): (address: Address) => Verdict {
  const byPrefix: Record<Family, Map<number, Map<bigint, Verdict>>> = { 4: new Map(), 6: new Map() };
  for (const [{ family, bits, prefix }, verdict] of rules) {
    const same = byPrefix[family].get(prefix) ?? new Map<bigint, Verdict>();
    byPrefix[family].set(prefix, same.set(bits, verdict));
  }
  const longestFirst = (family: Family) => [...byPrefix[family]].sort(([a], [b]) => b - a);
  const sorted = { 4: longestFirst(4), 6: longestFirst(6) };
  return (address) => {
    for (const [prefix, nets] of sorted[address.family]) {
      const bits = truncated(address, prefix);
      if (nets.has(bits)) return nets.get(bits);
    }
    return undefined;
  };
}

function networks(texts: readonly string[]): Network[] {
  return texts.map((text) => {
    const network = parseNetwork(text);
    if (network === undefined) throw new TypeError(`${text} is no network`);
    return network;
  });
}

/** All addresses that reach a listener: a wildcard one listens on every interface. */
function ownAddresses(own: AddressInfo): (address: Address) => boolean {
  const wildcard = own.address === '0.0.0.0' || own.address === '::';
  const reached = networks(wildcard ? [...LOOPBACK, ...interfaceAddresses()] : [zoneless(own.address)]);
  return ({ family, bits }) =>
    reached.some((network) => network.family === family && network.bits === truncated({ family, bits }, network.prefix));
}

function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => zoneless(address)));
}

function zoneless(address: string): string {
  return address.replace(/%.*/, '');
}
