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

/** Which fields of a message are for one connection only; those that its own Connection fields name (RFC 9110 §7.6.1) are, too. */
export function hopByHop(fields: Fields): (field: Field) => boolean {
  if (!fields.has('connection')) return isOfOneConnection;
  const named = fields.members('connection').filter((name) => !ONE_CONNECTION.has(name) && !NEVER_DROPPED.has(name));
  const [first] = named;
  // Mostly it is "close", or nothing.
  if (first === undefined || (named.length === 1 && !fields.has(first))) return isOfOneConnection;
  const all = new Set([...ONE_CONNECTION, ...named]);
  return ({ key }) => all.has(key);
}
