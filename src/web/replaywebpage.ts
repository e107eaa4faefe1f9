/**
 * ReplayWeb.page, where its user has it: shows captures within a page of ours, out of the archive by `/replay/raw/`.
 *
 * It is AGPL and never a part of this program: its two files are found on this machine and sent as they are. They are pages of the playback
 * listener alone, whose origin has nothing but what was archived: within it archived scripts run as pages of that origin.
 * Source: ReplayWeb.page, "Embedding", self-hosting (`ui.js`, and `sw.js` in the folder that is its scope).
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { reasonOf } from '../util/thrown.ts';
import type { FetchHandler } from './pages.ts';

const PACKAGE = 'replaywebpage';
export const IN_PAGE = '/replay/web/';
const FILES = ['ui.js', 'sw.js'] as const;
type FileName = (typeof FILES)[number];
export type ReplayWebPage = Readonly<Record<FileName, Buffer>>;

/** Folders in which its package may stand: of where the program was started, and of all programs of this Node. */
function places(cwd: string, env: NodeJS.ProcessEnv, execPath: string): readonly string[] {
  const prefix = dirname(dirname(execPath));
  const folders = [
    ...(createRequire(join(cwd, 'noop.js')).resolve.paths(PACKAGE) ?? []),
    ...(env.npm_config_prefix === undefined ? [] : [join(env.npm_config_prefix, 'lib/node_modules'), join(env.npm_config_prefix, 'node_modules')]),
    ...[join(prefix, 'lib/node_modules'), '/usr/local/lib/node_modules', '/usr/lib/node_modules', '/opt/homebrew/lib/node_modules'],
    ...(env.APPDATA === undefined ? [] : [join(env.APPDATA, 'npm/node_modules')]),
  ];
  return [...new Set(folders)].map((folder) => join(folder, PACKAGE));
}

/**
 * @param folder where its user says that it is; undefined: looked for
 * @returns undefined where it is not
 * @throws an Error whose message says which file of a named folder cannot be read
 */
export function findReplayWebPage(
  folder: string | undefined,
  { cwd = process.cwd(), env = process.env, execPath = process.execPath } = {},
): ReplayWebPage | undefined {
  if (folder !== undefined) return filesIn(resolve(cwd, folder));
  for (const place of places(cwd, env, execPath)) {
    try {
      return filesIn(place);
    } catch {
      // Not there.
    }
  }
  return undefined;
}

function filesIn(folder: string): ReplayWebPage {
  const read = (name: FileName) => {
    try {
      return readFileSync(join(folder, name));
    } catch (error) {
      throw new Error(`no ${name} of ReplayWeb.page in it (${reasonOf(error)})`, { cause: error });
    }
  };
  return { 'ui.js': read('ui.js'), 'sw.js': read('sw.js') };
}

const INDEX = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>ReplayWeb.page</title>
    <script src="ui.js"></script>
  </head>
  <body>
    <replay-app-main></replay-app-main>
  </body>
</html>
`;

/** By path. @param framedBy origins whose pages may have it within them */
export function replayWebPages(files: ReplayWebPage, framedBy: (request: Request) => string): Readonly<Record<string, FetchHandler>> {
  const answer = (body: Buffer, type: string, more: Readonly<Record<string, string>> = {}) => {
    const headers = { 'content-type': type, 'content-length': String(body.length), 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' };
    return new Response(new Uint8Array(body), { headers: { ...headers, ...more } });
  };
  const script = (name: FileName): FetchHandler => () => answer(files[name], 'text/javascript;charset=utf-8');
  return {
    [IN_PAGE]: (request) =>
      answer(Buffer.from(INDEX), 'text/html;charset=utf-8', {
        'content-security-policy': `frame-ancestors ${framedBy(request)}; base-uri 'none'; form-action 'self'`,
        'referrer-policy': 'no-referrer',
      }),
    [`${IN_PAGE}ui.js`]: script('ui.js'),
    [`${IN_PAGE}sw.js`]: script('sw.js'),
  };
}
