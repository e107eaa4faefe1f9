/**
 * Fields that concern one connection only, and are not sent on.
 *
 * Source: RFC 9110 §7.6.1, spec/warcprox.md §2.
 */
import type { Field, Fields } from './fields.ts';

const ONE_CONNECTION = new Set(['connection', 'proxy-connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'upgrade']);
/** Naming these in Connection must not take away what frames or routes the message. */
const NEVER_DROPPED = new Set(['content-length', 'transfer-encoding', 'host']);

const isOfOneConnection = ({ key }: Field): boolean => ONE_CONNECTION.has(key);

const mayBeNamed = (name: string): boolean => !ONE_CONNECTION.has(name) && !NEVER_DROPPED.has(name);

/** Which fields of a message are for one connection only; those that its own Connection fields name (RFC 9110 §7.6.1) are, too. */
export function hopByHop(fields: Fields): (field: Field) => boolean {
  const members = fields.members('connection');
  const [first] = members;
  // Mostly it is "close" or "keep-alive", or nothing.
  if (first === undefined || (members.length === 1 && (!mayBeNamed(first) || !fields.has(first)))) return isOfOneConnection;
  const all = new Set([...ONE_CONNECTION, ...members.filter(mayBeNamed)]);
  return ({ key }) => all.has(key);
}
