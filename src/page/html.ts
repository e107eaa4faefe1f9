/**
 * Links of an HTML page, as it comes: the `href` of `a` and `area`, resolved against the page or its `base`.
 *
 * A parser of tags without a tree. Source: HTML Standard §2.4.3 (base URL), §4.6 (links).
 */

export interface LinkReader {
  write(text: string): void;
  end(): void;
}

/** @param onLink given each absolute URL, of whatever scheme, in the order of the page */
export async function htmlLinks(page: string, onLink: (url: string) => void): Promise<LinkReader> {
  const { Parser } = await import('htmlparser2');
  let base = page;
  let hasBase = false;
  const parser = new Parser({
    onopentag(name, { href }) {
      if (href === undefined) return;
      if (name === 'base' && !hasBase && URL.canParse(href, page)) {
        base = new URL(href, page).href;
        hasBase = true;
      } else if ((name === 'a' || name === 'area') && URL.canParse(href, base)) onLink(new URL(href, base).href);
    },
  });
  return { write: (text) => parser.write(text), end: () => parser.end() };
}

const HTML = /^\s*(?:text\/html|application\/xhtml\+xml)\b/i;

export function isHtml(type: string | undefined): boolean {
  return HTML.test(type ?? '');
}
