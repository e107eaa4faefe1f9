/** How URLs begin that somebody looks for who has left out what people leave out. */

const SCHEMES = ['https://', 'http://', 'https://www.', 'http://www.'];

/** @param text the beginning of a URL; with a scheme, or empty (everything), it is the only one. A number behind a colon is a port. */
export function beginningsOf(text: string): readonly string[] {
  return text === '' || /^[a-z][a-z0-9+.-]*:(?!\d)/i.test(text) ? [text] : SCHEMES.map((scheme) => scheme + text);
}
