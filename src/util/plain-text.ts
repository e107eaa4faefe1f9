/**
 * Text that is what it looks like, on one line: names that people read, and that become a part of a file's name.
 *
 * Not plain: control characters and line breaks, halves of surrogate pairs, and what is not seen or changes the order of what is (bidi
 * controls, zero widths, fillers, variation selectors). Source: Unicode Standard Annex #44 (Default_Ignorable_Code_Point), UTR #36 §2.
 */

/** U+2800 is a Braille pattern without dots. */
const NOT_PLAIN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;

export function isPlain(text: string): boolean {
  return !NOT_PLAIN.test(text);
}
