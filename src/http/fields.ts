/**
 * Header fields in the order, spelling and bytes in which they came.
 *
 * Text is Latin-1 throughout: one character is one byte on the wire.
 * Source: RFC 9110 §5.
 */

export interface Field {
  readonly name: string;
  /** the name in lower case */
  readonly key: string;
  /** without the white space around it, CR or NUL; the lines of a folded value joined by spaces (RFC 9112 §5.2) */
  readonly value: string;
  /** as it came, line ending included */
  readonly line: string;
  /** false for a line that only the lenient reading accepts */
  readonly exact: boolean;
  /** it came as one that nobody may keep in a table (RFC 7541 §6.2.3) */
  readonly neverIndexed?: true;
}

const NONE: readonly string[] = [];

export class Fields {
  readonly list: readonly Field[];

  constructor(list: readonly Field[]) {
    this.list = list;
  }

  /** Value of the first field of this name (lower case). */
  get(key: string): string | undefined {
    for (const field of this.list) if (field.key === key) return field.value;
    return undefined;
  }

  has(key: string): boolean {
    for (const field of this.list) if (field.key === key) return true;
    return false;
  }

  /** More than one field has this name. */
  repeats(key: string): boolean {
    let found = 0;
    for (const field of this.list) if (field.key === key) found++;
    return found > 1;
  }

  all(key: string): string[] {
    const values: string[] = [];
    for (const field of this.list) if (field.key === key) values.push(field.value);
    return values;
  }

  /** Members of a comma-separated list over all fields of this name, in lower case (RFC 9110 §5.6.1). */
  members(key: string): readonly string[] {
    let members: string[] | undefined;
    for (const field of this.list) {
      if (field.key !== key) continue;
      if (members === undefined) members = membersOf(field.value);
      else addMembers(members, field.value);
    }
    return members ?? NONE;
  }

  /** Whether such a list has this member (lower case). */
  hasMember(key: string, member: string): boolean {
    for (const field of this.list) if (field.key === key && isMember(member, field.value)) return true;
    return false;
  }
}

/** Nearly always it is one. */
function membersOf(value: string): string[] {
  const only = value.includes(',') ? '' : trimOws(value);
  if (only !== '') return [only.toLowerCase()];
  const members: string[] = [];
  addMembers(members, value);
  return members;
}

function addMembers(members: string[], value: string): void {
  for (let start = 0; start <= value.length;) {
    const comma = value.indexOf(',', start);
    const end = comma === -1 ? value.length : comma;
    const member = trimmedSlice(value, start, end);
    if (member !== '') members.push(member.toLowerCase());
    start = end + 1;
  }
}

/** Mostly it is not there at all, which is seen without telling the members apart. */
function isMember(member: string, value: string): boolean {
  return value.toLowerCase().includes(member) && membersOf(value).includes(member);
}

/** A field of our own. @param value Latin-1, without line breaks */
export function fieldOf(name: string, value: string): Field {
  return { name, key: name.toLowerCase(), value, line: `${name}: ${value}\r\n`, exact: true };
}

/** RFC 9110 §5.6.2 */
export const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Whether there is a tab within or behind the value: white space by RFC 9110 §5.6.3, which some parsers take for a part of a member. */
export function hasTab({ name, line }: Field): boolean {
  return line
    .slice(name.length + 1)
    .trimStart()
    .includes('\t');
}

/** Without spaces and tabs at both ends (RFC 9110 §5.6.3). */
export function trimOws(text: string): string {
  return trimmedSlice(text, 0, text.length);
}

export function trimmedSlice(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isOws(text.charCodeAt(start))) start++;
  while (end > start && isOws(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

export function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
