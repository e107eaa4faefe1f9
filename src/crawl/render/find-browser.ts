/**
 * The browser of this machine: Chromium, Chrome or Edge, by the names and places that their packages give them.
 */
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge', 'microsoft-edge-stable'];

const MAC = ['Chromium', 'Google Chrome', 'Microsoft Edge'].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`);
const WINDOWS = [
  'Google\\Chrome\\Application\\chrome.exe',
  'Chromium\\Application\\chrome.exe',
  'Microsoft\\Edge\\Application\\msedge.exe',
];

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

/** On PATH first, then where installers put it. */
export async function findBrowser({ platform, env, isProgram }: Machine = THIS_MACHINE): Promise<string | undefined> {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const onPath = platform === 'win32' ? [] : NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  const roots = ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].map((name) => env[name]).filter((root) => root !== undefined);
  const installed =
    platform === 'darwin' ? MAC : platform === 'win32' ? roots.flatMap((root) => WINDOWS.map((file) => `${root}\\${file}`)) : [];
  for (const file of [...onPath, ...installed]) if (await isProgram(file)) return file;
  return undefined;
}
