/**
 * Fields that concern one connection only, and are not sent on.
 *
 * Source: RFC 9110 §7.6.1, spec/warcprox.md §2.
 */
import type { Field, Fields } from './fields.ts';

const ONE_CONNECTION = new Set(['connection', 'proxy-connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'upgrade']);
/** Naming these in Connection must not take away what frames or routes the message. */
const NEVER_DROPPED = new Set(['content-length', 'transfer-encoding', 'host']);

/** Which fields of a message are for one connection only; those that its own Connection fields name (RFC 9110 §7.6.1) are, too. */
export function hopByHop(fields: Fields): (field: Field) => boolean {
  if (!fields.has('connection')) return ({ key }) => ONE_CONNECTION.has(key);
  const named = new Set(fields.members('connection').filter((name) => !NEVER_DROPPED.has(name)));
  return ({ key }) => ONE_CONNECTION.has(key) || named.has(key);
}
