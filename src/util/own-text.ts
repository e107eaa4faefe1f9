/** A text of its own: a piece that was cut out of another would keep all of that in memory. */
export function ownText(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
