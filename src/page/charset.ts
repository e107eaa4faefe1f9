/**
 * Of bytes, the text.
 */

/** What a page says of its charset, or UTF-8. Source: HTML Standard §13.2.3.2, without its guesses; XML §4.3.3. */
export function decoderOf(type: string | undefined, beginning: Uint8Array): InstanceType<typeof TextDecoder> {
  const [, ofField] = /charset\s*=\s*"?([\w-]+)/i.exec(type ?? '') ?? [];
  const [, ofPage] = OF_PAGE.exec(Buffer.from(beginning.subarray(0, 1024)).toString('latin1')) ?? [];
  try {
    return new TextDecoder(ofField ?? ofPage ?? 'utf-8');
  } catch {
    return new TextDecoder('utf-8');
  }
}

const OF_PAGE = /(?:<meta[^>]+charset\s*=|<\?xml[^>]+encoding\s*=|^@charset)\s*["']?([\w-]+)/i;
