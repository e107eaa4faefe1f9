/** Lines of a stream of bytes, of bounded length; nothing is read ahead of what is asked for but the chunk at hand. */
const LF = 0x0a;

/** What is longer is skipped up to its end. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;

/**
 * Yields the text of each line without its end, bytes that are no UTF-8 as U+FFFD, and undefined for one that is too long.
 *
 * A last line without an end counts, unless it is empty.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes = MAX_LINE_BYTES,
): AsyncGenerator<string | undefined, void> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  const add = (part: Uint8Array) => {
    bytes += part.length;
    if (bytes > maxBytes) parts = [];
    else if (part.length > 0) parts.push(part);
  };
  const take = () => {
    const line = bytes > maxBytes ? undefined : Buffer.concat(parts).toString();
    parts = [];
    bytes = 0;
    return line;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, from)) {
      add(chunk.subarray(from, end));
      from = end + 1;
      yield take();
    }
    add(chunk.subarray(from));
  }
  if (bytes > 0) yield take();
}
