/** A list of fields as HTTP/2 has it. */

/** Names and values by turns, in the order of the frame; Latin-1. */
export interface FieldList extends ReadonlyArray<string> {
  /** names of those that nobody may keep in a table: who passes them on codes them so, too (RFC 7541 §6.2.3) */
  readonly neverIndexed?: ReadonlySet<string>;
}

/** @param never names, or nothing */
export function withNeverIndexed(list: readonly string[], never: ReadonlySet<string> | undefined): FieldList {
  return never === undefined ? list : Object.assign(list, { neverIndexed: never });
}
