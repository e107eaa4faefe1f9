/** What a person is shown at an address of ours that has no page: the way to those that there are. */
import { readPageFiles } from './page-files.ts';
import type { FetchHandler } from './pages.ts';

const PAGE = '/web/missing/';

/** @returns the page, an answer of 404, and by path what it loads */
export function missingPage(): { readonly page: FetchHandler; readonly files: Readonly<Record<string, FetchHandler>> } {
  const { [PAGE]: found, ...files } = Object.fromEntries(
    readPageFiles(new URL('./missing/', import.meta.url), { index: PAGE, files: PAGE }),
  );
  return {
    page: () => {
      const { body, headers } = found?.() ?? new Response('no such page\n');
      return new Response(body, { status: 404, headers });
    },
    files,
  };
}
