/** A JSON array in pieces of some length, however many items it has. */
const PIECE_CHARS = 16_384;

export async function* jsonArray(items: AsyncIterable<unknown>): AsyncGenerator<string, void> {
  let text = '[';
  let first = true;
  for await (const item of items) {
    text += `${first ? '' : ','}${JSON.stringify(item)}`;
    first = false;
    if (text.length < PIECE_CHARS) continue;
    yield text;
    text = '';
  }
  yield `${text}]`;
}
