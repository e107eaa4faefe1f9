/**
 * Fields that nobody may keep in a table: who passes them on has to code them so as well.
 *
 * Known by their names, for all sessions together: between two of them stand messages, which do not say how a field was coded.
 * Source: RFC 7541 §6.2.3, §7.1.3.
 */

/** What may be learned of peers, who could say it of any name. */
const MAX_NAMES = 256;

const names = new Set(['authorization', 'proxy-authorization']);

export function isNeverIndexed(name: string): boolean {
  return names.has(name);
}

/** It came so. */
export function neverIndex(name: string): void {
  if (names.size < MAX_NAMES) names.add(name);
}
