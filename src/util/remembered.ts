/** What was made of texts of which few come often, made once for each. */
import { ownText } from './own-text.ts';

const MAX_TEXTS = 1000;
const MAX_CHARS = 200;

/** @param make the same result for the same text, always; of a text that does not come often it is made each time */
export function remembered<Result>(make: (text: string) => Result): (text: string) => Result {
  const results = new Map<string, Result>();
  return (text) => {
    const known = results.get(text);
    if (known !== undefined) return known;
    const made = make(text);
    if (text.length > MAX_CHARS) return made;
    if (results.size >= MAX_TEXTS) results.clear();
    results.set(ownText(text), made);
    return made;
  };
}
