/**
 * Heads as they are sent on: everything as it came, without the fields that concern one connection only.
 *
 * Source: spec/warcprox.md §2.
 */
import { hasTab, TOKEN, trimOws, type Field, type Fields } from '../http/fields.ts';
import { hopByHop } from '../http/hop-by-hop.ts';
import { FieldLine } from './field-line.ts';
import { lastCoding } from './framing.ts';

/**
 * The lines of all fields that are sent on, in order, each ended by CRLF.
 *
 * @param replace may give another line for a field of this message (`''` drops it), or undefined to leave it
 * @param upgrades the connections become those of a WebSocket: they are told so
 */
export function forwardedLines<Message>(
  fields: Fields,
  replace: (field: Field, message: Message) => string | undefined,
  message: Message,
  upgrades = false,
): string {
  const dropped = hopByHop(fields);
  const chunked = lastCoding(fields) === 'chunked';
  const untold = upgrades ? new Set(['upgrade', 'connection']) : undefined;
  let lines = '';
  // What stands in a head as it is sent on is cut out in as few pieces as it can be.
  let head = '';
  let start = 0;
  let end = 0;
  for (const field of fields.list) {
    let line: string | undefined;
    if (untold?.delete(field.key) === true) line = upgradeLine(field);
    else if (dropped(field)) line = '';
    else line = replace(field, message) ?? (chunked && field.key === 'transfer-encoding' ? codingsLine(field) : undefined);
    if (line === undefined && field instanceof FieldLine) {
      if (field.start !== end || field.head !== head) {
        lines += head.slice(start, end);
        ({ head, start } = field);
      }
      end = field.end;
    } else {
      lines += head.slice(start, end) + (line ?? lineOf(field));
      start = end;
    }
  }
  return lines + head.slice(start, end);
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
