/**
 * Other people's programs that tests run: each is asked who it is before it is trusted.
 *
 * A name on PATH proves little. npm puts node_modules/.bin first there, where a package for Node has the name of Python's `warcio`. So
 * all programs of that name on PATH are asked in turn, and the first one counts whose answer is the expected one.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Tool {
  /** what to run: a path, or the bare name when it is missing */
  readonly command: string;
  /** for the `skip` option of a test: the line that says what is missing, or false */
  readonly skip: string | false;
}

export interface Wanted {
  /** a name to look for on PATH, or a path; undefined is passed over */
  readonly commands: readonly (string | undefined)[];
  /** the question, and what the right program says to it, wherever it prints that; its exit code proves nothing */
  readonly ask: readonly string[];
  readonly says: RegExp;
  /** what is missing when nobody answers like that; by default the first command on PATH */
  readonly needs?: string;
}

/** Those that several tests run. */
const TOOLS = {
  // Windows has another certutil.
  certutil: { ask: ['--version'], says: /NSS certificate databases/ },
  curl: { ask: ['--version'], says: /^curl \d/m },
  git: { ask: ['--version'], says: /^git version \d/m },
  gzip: { ask: ['--version'], says: /^(Apple )?gzip \d/m },
  java: { ask: ['-version'], says: / version "\d/ },
  mkfifo: { ask: ['--version'], says: /^mkfifo \(GNU coreutils\)/m },
  mount: { ask: ['--version'], says: /^mount from util-linux/m },
  npm: { ask: ['--version'], says: /^\d+\.\d+\.\d+$/m },
  npx: { ask: ['--version'], says: /^\d+\.\d+\.\d+$/m },
  // LibreSSL takes the name too, and has other options.
  openssl: { ask: ['version'], says: /^OpenSSL \d/m },
  // Asked for what it is here for.
  sh: { ask: ['-c', 'ulimit -n 64 && ulimit -n'], says: /^64$/m },
  python3: { ask: ['--version'], says: /^Python 3\./m },
  umount: { ask: ['--version'], says: /^umount from util-linux/m },
} satisfies Record<string, Omit<Wanted, 'commands'>>;

/** A browser that pages can be looked at with. */
export function browserTool(): Tool {
  return findTool({
    commands:
      process.env.WARCTAP_CHROMIUM === undefined ? ['chromium', 'chromium-browser', 'google-chrome'] : [process.env.WARCTAP_CHROMIUM],
    ask: ['--version'],
    says: /^(Chromium|Google Chrome) \d/m,
    needs: 'chromium on PATH (or WARCTAP_CHROMIUM)',
  });
}

const found = new Map<string, string | undefined>();

export function tool(name: keyof typeof TOOLS): Tool {
  return findTool({ commands: [name], ...TOOLS[name] });
}

export function findTool({ commands, ask, says, needs }: Wanted): Tool {
  const names = commands.filter((command) => command !== undefined);
  const key = JSON.stringify([names, ask, says.source]);
  if (!found.has(key))
    found.set(
      key,
      names.flatMap(placesOf).find((path) => says.test(answerOf(path, ask))),
    );
  const path = found.get(key);
  return { command: path ?? names[0] ?? '', skip: path === undefined && `needs ${needs ?? `${names[0]} on PATH`}` };
}

function placesOf(command: string): string[] {
  if (/[/\\]/.test(command)) return [command];
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, command)).filter((path) => existsSync(path));
}

function answerOf(path: string, ask: readonly string[]): string {
  const { stdout, stderr, error } = spawnSync(path, ask, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return error === undefined ? `${stdout}\n${stderr}` : '';
}
