/**
 * Title and text of an HTML page, as it comes. Both are cut past a bound.
 *
 * A parser of tags without a tree. Source: HTML Standard §4.2.2 (title), §3.1.5 (document.title).
 */

export interface PageText {
  /** @returns false when nothing more is wanted */
  write(text: string): boolean;
  end(): void;
  /** with its white space collapsed; empty without one */
  readonly title: string;
  readonly text: string;
}

const MAX_TITLE_CHARS = 1_000;
/** What is in them is not read by people. */
const UNSEEN = new Set(['script', 'style', 'noscript', 'template', 'svg', 'math', 'iframe', 'object', 'title']);
const INLINE = new Set([
  'a',
  'abbr',
  'b',
  'bdi',
  'bdo',
  'cite',
  'code',
  'em',
  'font',
  'i',
  'kbd',
  'mark',
  'q',
  's',
  'small',
  'span',
  'strong',
  'sub',
  'sup',
  'u',
  'var',
]);

/** @param maxTextChars of the text; 0 when only the title is wanted */
export async function pageText(maxTextChars: number): Promise<PageText> {
  const { Parser } = await import('htmlparser2');
  let title: string | undefined;
  let inTitle = false;
  let hasTitle = false;
  let unseen = 0;
  let text = '';
  const parser = new Parser({
    onopentag(name) {
      inTitle = name === 'title' && title === undefined && unseen === 0;
      if (inTitle) title = '';
      if (UNSEEN.has(name)) unseen++;
      else if (!INLINE.has(name)) text += ' ';
    },
    ontext(piece) {
      if (inTitle) title = ((title ?? '') + piece).slice(0, MAX_TITLE_CHARS);
      else if (unseen === 0 && text.length < maxTextChars) text += piece;
    },
    onclosetag(name) {
      if (inTitle && name === 'title') {
        inTitle = false;
        hasTitle = true;
      }
      if (UNSEEN.has(name)) unseen--;
      else if (!INLINE.has(name)) text += ' ';
    },
  });
  return {
    write(piece) {
      parser.write(piece);
      if (maxTextChars === 0) text = '';
      return maxTextChars === 0 ? !hasTitle : text.length < maxTextChars;
    },
    end: () => parser.end(),
    get title() {
      return collapsed(title ?? '');
    },
    get text() {
      return collapsed(text).slice(0, maxTextChars);
    },
  };
}

function collapsed(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
