/**
 * The names by which our own pages may be asked for.
 *
 * A page of somebody else can have the name of its own host lead to this machine, and read what we answer as if it were its own (DNS
 * rebinding): then Host is that name. Addresses and names of this machine are nobody else's.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** @param names beside addresses and localhost; whatever their case */
export function ownHosts(names: readonly string[]): (host: string | undefined) => boolean {
  const known = new Set(['localhost', ...names.map((name) => name.toLowerCase().replace(/\.$/, ''))]);
  return (host) => {
    // Only HTTP/1.0 can be without, and browsers never are.
    if (host === undefined) return true;
    const [, bracketed, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host) ?? [];
    return bracketed === undefined ? isIPv4(name) || known.has(name.toLowerCase().replace(/\.$/, '')) : isIPv6(bracketed);
  };
}

/**
 * Whether a page is one of ours by the Origin that a browser tells of it: it came from the host that is asked, or from one of these names,
 * as with a proxy in front that asks by another name.
 *
 * Source: RFC 6454 §7, RFC 6455 §10.2.
 */
export function isOwnOrigin(origin: string, host: string | undefined, names: readonly string[]): boolean {
  if (!/^https?:/.test(origin) || !URL.canParse(origin)) return false;
  const page = new URL(origin);
  const asked = `${page.protocol}//${host ?? ''}`;
  return (URL.canParse(asked) && new URL(asked).host === page.host) || names.some((name) => name.toLowerCase() === page.hostname);
}
