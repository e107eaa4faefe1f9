/**
 * The browser of this machine: Chromium, Chrome, Edge or Firefox, by the names and places that their packages give them.
 *
 * Looks at file names only, and never starts anything.
 */
import { access, constants } from 'node:fs/promises';
import { basename, delimiter, join } from 'node:path';
import { NoBrowserError } from './errors.ts';

/** What can be asked for by name. */
export const BROWSERS = ['chromium', 'chrome', 'edge', 'firefox'] as const;
export type BrowserName = (typeof BROWSERS)[number];
/** How it is led: by switches, or by a file in its profile. */
export type BrowserKind = 'chromium' | 'firefox';

export interface FoundBrowser {
  readonly kind: BrowserKind;
  readonly executable: string;
}

/** The order is that in which they are tried where none is asked for. */
const NAMES: Readonly<Record<BrowserName, readonly string[]>> = {
  chromium: ['chromium', 'chromium-browser'],
  chrome: ['google-chrome', 'google-chrome-stable'],
  edge: ['microsoft-edge', 'microsoft-edge-stable'],
  firefox: ['firefox', 'firefox-esr'],
};

const MAC: Readonly<Record<BrowserName, readonly string[]>> = {
  chromium: ['Chromium.app/Contents/MacOS/Chromium'],
  chrome: ['Google Chrome.app/Contents/MacOS/Google Chrome'],
  edge: ['Microsoft Edge.app/Contents/MacOS/Microsoft Edge'],
  firefox: ['Firefox.app/Contents/MacOS/firefox'],
};

const WINDOWS: Readonly<Record<BrowserName, readonly string[]>> = {
  chromium: ['Chromium\\Application\\chrome.exe'],
  chrome: ['Google\\Chrome\\Application\\chrome.exe'],
  edge: ['Microsoft\\Edge\\Application\\msedge.exe'],
  firefox: ['Mozilla Firefox\\firefox.exe'],
};

/** Chrome comes with most Windows, and is what sites are made for. */
const WINDOWS_ORDER: readonly BrowserName[] = ['chrome', 'chromium', 'edge', 'firefox'];

/** What the search looks at. */
export interface Machine {
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isProgram: (file: string) => Promise<boolean>;
}

const THIS_MACHINE: Machine = {
  platform: process.platform,
  env: process.env,
  isProgram: (file) =>
    access(file, constants.X_OK).then(
      () => true,
      () => false,
    ),
};

/** On PATH first, then where installers put it. @returns the program of a Chromium, Chrome or Edge */
export async function findBrowser(machine: Machine = THIS_MACHINE): Promise<string | undefined> {
  return firstOf(['chromium', 'chrome', 'edge'], machine);
}

/**
 * @param wanted a name of `BROWSERS`, or a path; undefined: whichever is there
 * @throws NoBrowserError that says what was looked for
 */
export async function chooseBrowser(
  wanted: string | undefined,
  kinds: readonly BrowserKind[] = ['chromium', 'firefox'],
  machine: Machine = THIS_MACHINE,
): Promise<FoundBrowser> {
  const names = BROWSERS.filter((name) => kinds.includes(kindOf(name)));
  const asked = wanted === undefined ? names : BROWSERS.filter((name) => name === wanted);
  if (asked.length === 0) return named(wanted ?? '', kinds, machine);
  const refused = asked.find((name) => !names.includes(name));
  if (refused !== undefined) throw new NoBrowserError(`${refused} cannot do this: expected one of ${names.join(', ')}, or the path of one`);
  for (const name of asked) {
    const executable = await firstOf([name], machine);
    if (executable !== undefined) return { kind: kindOf(name), executable };
  }
  const { looked, how } = notFound(asked, machine);
  throw new NoBrowserError(`no browser found: looked for ${looked}; ${how}, or name its program with --browser`);
}

async function named(path: string, kinds: readonly BrowserKind[], machine: Machine): Promise<FoundBrowser> {
  const kind = /firefox|librewolf|waterfox/i.test(basename(path)) ? 'firefox' : 'chromium';
  const folders = pathFolders(machine);
  const places = /[/\\]/.test(path) ? [path] : folders.map((folder) => join(folder, path));
  for (const executable of places) {
    if (!(await machine.isProgram(executable))) continue;
    if (!kinds.includes(kind)) throw new NoBrowserError(`${executable} cannot do this: expected a Chromium, Chrome or Edge`);
    return { kind, executable };
  }
  throw new NoBrowserError(`there is no program ${path}: expected ${BROWSERS.join(', ')}, or the path of one of them`);
}

function kindOf(name: BrowserName): BrowserKind {
  return name === 'firefox' ? 'firefox' : 'chromium';
}

async function firstOf(names: readonly BrowserName[], machine: Machine): Promise<string | undefined> {
  for (const file of placesOf(names, machine)) if (await machine.isProgram(file)) return file;
  return undefined;
}

function pathFolders({ env }: Machine): readonly string[] {
  return (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
}

function placesOf(names: readonly BrowserName[], machine: Machine): readonly string[] {
  const { platform, env } = machine;
  if (platform === 'win32') {
    const roots = ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].map((name) => env[name]).filter((root) => root !== undefined);
    const ordered = WINDOWS_ORDER.filter((name) => names.includes(name));
    return roots.flatMap((root) => ordered.flatMap((name) => WINDOWS[name].map((file) => `${root}\\${file}`)));
  }
  const folders = pathFolders(machine);
  const onPath = names.flatMap((name) => NAMES[name].flatMap((program) => folders.map((folder) => join(folder, program))));
  const apps = platform === 'darwin' ? names.flatMap((name) => MAC[name].map((file) => `/Applications/${file}`)) : [];
  return [...onPath, ...apps];
}

/** What was looked for, and how it is come by. */
function notFound(names: readonly BrowserName[], machine: Machine): { readonly looked: string; readonly how: string } {
  const { platform } = machine;
  const programs = platform === 'win32' ? names.flatMap((name) => WINDOWS[name]) : names.flatMap((name) => NAMES[name]);
  const apps = platform === 'darwin' ? ', or in /Applications' : '';
  const where = platform === 'win32' ? 'below the folders of programs' : `on PATH${apps}`;
  const wanted = names.includes('chromium') || names.length > 1 ? 'chromium' : (names[0] ?? 'chromium');
  const how =
    platform === 'linux' ? `install it (apt install ${wanted === 'chrome' || wanted === 'edge' ? 'chromium' : wanted})` : 'install one';
  return { looked: `${programs.join(', ')} ${where}`, how };
}
