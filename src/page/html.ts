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
      if (name === 'base' && !hasBase) {
        const found = absolute(href, page);
        hasBase = found !== undefined;
        base = found ?? base;
      } else if (name === 'a' || name === 'area') {
        const found = absolute(href, base);
        if (found !== undefined) onLink(found);
      }
    },
  });
  return { write: (text) => parser.write(text), end: () => parser.end() };
}

/** Parsed once: there may be many. */
function absolute(href: string, base: string): string | undefined {
  try {
    return new URL(href, base).href;
  } catch {
    return undefined;
  }
}

const HTML = /^\s*(?:text\/html|application\/xhtml\+xml)\b/i;

export function isHtml(type: string | undefined): boolean {
  return HTML.test(type ?? '');
}
