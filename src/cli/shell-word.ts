/** Text as one word of a POSIX shell. Source: POSIX.1-2017, Shell Command Language §2.2.2. */

/** In single quotes, always. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** In quotes where it needs them, for people to copy. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : quoted(text);
}
