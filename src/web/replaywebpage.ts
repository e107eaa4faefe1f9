/**
 * ReplayWeb.page, where its user has it: shows captures within a page of ours, out of the archive by `/replay/raw/`.
 *
 * It is AGPL and never a part of this program: its service worker is found on this machine, and sent as it is. It is of the playback listener
 * alone, whose origin has nothing but what was archived: within it archived scripts run as pages of that origin.
 * Source: ReplayWeb.page, "Embedding" (`sw.js` in the folder that is its scope).
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { reasonOf } from '../util/thrown.ts';
import type { FetchHandler } from './pages.ts';

const PACKAGE = 'replaywebpage';
export const IN_PAGE = '/replay/web/';
const FILE = 'sw.js';

/** Folders in which its package may stand: of where the program was started, and of all programs of this Node. */
function places(cwd: string, env: NodeJS.ProcessEnv, execPath: string): readonly string[] {
  const prefix = dirname(dirname(execPath));
  const folders = [
    ...(createRequire(join(cwd, 'noop.js')).resolve.paths(PACKAGE) ?? []),
    ...(env.npm_config_prefix === undefined
      ? []
      : [join(env.npm_config_prefix, 'lib/node_modules'), join(env.npm_config_prefix, 'node_modules')]),
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
): Buffer | undefined {
  if (folder !== undefined) return workerIn(resolve(cwd, folder));
  for (const place of places(cwd, env, execPath)) {
    try {
      return workerIn(place);
    } catch {
      // Not there.
    }
  }
  return undefined;
}

function workerIn(folder: string): Buffer {
  try {
    return readFileSync(join(folder, FILE));
  } catch (error) {
    throw new Error(`no ${FILE} of ReplayWeb.page in it (${reasonOf(error)})`, { cause: error });
  }
}

const INDEX = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>A capture – warctap</title>
    <link rel="stylesheet" href="/web/replay/frame.css" />
    <script type="module" src="/web/replay/frame.js"></script>
  </head>
  <body>
    <p id="state" role="status">ReplayWeb.page is being started …</p>
  </body>
</html>
`;

/** By path. @param framedBy origins whose pages may have it within them */
export function replayWebPages(worker: Buffer, framedBy: (request: Request) => string): Readonly<Record<string, FetchHandler>> {
  const answer = (body: Buffer, type: string, policy: string) => {
    const headers = { 'content-type': type, 'content-length': String(body.length), 'cache-control': 'no-cache' };
    const safe = { 'content-security-policy': policy, 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' };
    return new Response(new Uint8Array(body), { headers: { ...headers, ...safe } });
  };
  return {
    [IN_PAGE]: (request) =>
      answer(
        Buffer.from(INDEX),
        'text/html;charset=utf-8',
        `default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors ${framedBy(request)}`,
      ),
    [IN_PAGE + FILE]: () => answer(worker, 'text/javascript;charset=utf-8', "default-src 'self' 'unsafe-eval'"),
  };
}
