/**
 * Which addresses the proxy connects to. Asked about addresses, never about names: what a name means can change.
 *
 * Source: spec/warcprox.md §9; special-purpose addresses as in RFC 6890.
 */
import { BlockList, isIPv6, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';

export interface AddressRules {
  /** @returns why this address may not be connected to, or undefined when it may */
  refuse(address: string, port: number): string | undefined;
}

const FORBIDDEN = 'request rejected by warcprox: localhost access is not permitted';

/**
 * @param allowLocalhost lifts the ban on loopback and unspecified addresses
 * @param listening where the proxy listens; it never connects to itself
 */
export function addressRules(allowLocalhost: boolean, listening: () => readonly AddressInfo[]): AddressRules {
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  loopback.addSubnet('0.0.0.0', 8, 'ipv4');
  loopback.addAddress('::1', 'ipv6');
  loopback.addAddress('::', 'ipv6');
  const linkLocal = new BlockList();
  linkLocal.addSubnet('169.254.0.0', 16, 'ipv4');
  linkLocal.addSubnet('fe80::', 10, 'ipv6');

  return {
    refuse(address, port) {
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (linkLocal.check(address, family)) return FORBIDDEN;
      if (!allowLocalhost && loopback.check(address, family)) return FORBIDDEN;
      for (const own of listening()) {
        if (own.port === port && ownAddresses(own).check(address, family)) return FORBIDDEN;
      }
      return undefined;
    },
  };
}

/** All addresses that reach a listener: a wildcard one listens on every interface. */
function ownAddresses(own: AddressInfo): BlockList {
  const list = new BlockList();
  const wildcard = own.address === '0.0.0.0' || own.address === '::';
  if (wildcard) {
    list.addSubnet('127.0.0.0', 8, 'ipv4');
    list.addSubnet('0.0.0.0', 8, 'ipv4');
    list.addAddress('::1', 'ipv6');
    list.addAddress('::', 'ipv6');
    for (const addresses of Object.values(networkInterfaces())) {
      for (const { address, family } of addresses ?? []) list.addAddress(address, family === 'IPv6' ? 'ipv6' : 'ipv4');
    }
  } else {
    list.addAddress(own.address, own.family === 'IPv6' ? 'ipv6' : 'ipv4');
    // An unspecified address reaches this machine's loopback.
    if (own.address.startsWith('127.')) list.addAddress('0.0.0.0', 'ipv4');
    if (own.address === '::1') list.addAddress('::', 'ipv6');
  }
  return list;
}
