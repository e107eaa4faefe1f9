/**
 * Heads as they are sent on: everything as it came, without the fields that concern one connection only.
 *
 * Source: spec/warcprox.md §2.
 */
import { hasTab, TOKEN, trimOws, type Field, type Fields } from '../http/fields.ts';
import { hopByHop } from '../http/hop-by-hop.ts';

/**
 * The lines of all fields that are sent on, in order, each ended by CRLF.
 *
 * @param replace may give another line for a field (`''` drops it), or undefined to leave it
 * @param upgrades the connections become those of a WebSocket: they are told so
 */
export function forwardedLines(fields: Fields, replace: (field: Field) => string | undefined, upgrades = false): string {
  const dropped = hopByHop(fields);
  const chunked = fields.members('transfer-encoding').findLast((coding) => coding !== 'identity') === 'chunked';
  let lines = '';
  const untold = upgrades ? new Set(['upgrade', 'connection']) : undefined;
  for (const field of fields.list) {
    if (untold?.delete(field.key) === true) lines += upgradeLine(field);
    if (dropped(field)) continue;
    lines += replace(field) ?? (chunked && field.key === 'transfer-encoding' ? codingsLine(field) : lineOf(field));
  }
  return lines;
}

/** As it came, unless it says more than what is passed on. */
function upgradeLine(field: Field): string {
  const only = field.key === 'upgrade' ? 'websocket' : 'Upgrade';
  return field.value.toLowerCase() === only.toLowerCase() ? lineOf(field) : fieldLine(field.name, only);
}

function lineOf(field: Field): string {
  return field.exact ? field.line : fieldLine(field.name, field.value);
}

/**
 * Transfer-Encoding that ends in `chunked`, without what is no coding, and without tabs: not everybody reads `chunked, identity`, `chunked,`
 * or `chunked` with a tab behind it as chunked, and who does not sees another end of the body (RFC 9112 §6.3).
 */
function codingsLine(field: Field): string {
  const members = field.value.split(',').map(trimOws);
  const codings = members.filter((coding) => TOKEN.test(coding) && coding.toLowerCase() !== 'identity');
  if (codings.length === 0) return '';
  const plain = codings.length === members.length && !hasTab(field);
  return plain ? lineOf(field) : fieldLine(field.name, codings.join(', '));
}

export function fieldLine(name: string, value: string): string {
  return `${name}: ${value}\r\n`;
}
