/**
 * Options of the transformation service. Its variables are those of the program whose place it takes, `CIRCE_…`, and not ours.
 *
 * Source: spec/circe.md §9.
 */
import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';
import { anyText, host, oneOf, path, seconds, size, text, wholeNumber, type Kind } from '../kinds.ts';
import { group, type OptionRow, type Resolved } from '../row.ts';

/** Exactly `1` is true, whatever else stands there is not. */
const exactlyOne: Kind<boolean> = {
  expected: '1, or anything else for no',
  shape: 'switch',
  read: (input) => input === true || input === '1',
};

/** Names between commas. */
const names: Kind<readonly string[]> = {
  expected: 'names, with commas between them',
  shape: 'value',
  read: (input) =>
    Array.isArray(input)
      ? (input as string[])
      : String(input)
          .split(',')
          .map((name) => name.trim())
          .filter((name) => name !== ''),
};

export const DEFAULT_CRYPT_KEY = 'you should really change this';

export const TRANSFORM_ROWS = group('Options', {
  host: { argument: 'HOST', kind: host, default: '127.0.0.1', summary: 'address to listen on' },
  port: { short: 'p', argument: 'PORT', kind: wholeNumber(0, 65_535), default: 8000, summary: 'port to listen on; 0: any that is free' },
  debug: { short: 'd', kind: exactlyOne, default: false, summary: 'log details' },
  accessLog: { short: 'a', kind: exactlyOne, default: false, summary: 'log each request' },
  workers: {
    short: 'w',
    argument: 'N',
    kind: wholeNumber(1, 1024),
    default: () => availableParallelism(),
    defaultText: 'number of CPUs',
    summary: 'jobs that run at once',
  },
  workingDir: {
    argument: 'DIR',
    kind: path,
    default: () => join(homedir(), '.circe'),
    defaultText: '$HOME/.circe/',
    summary: 'queue, results, accesses; made if it is missing',
  },
  tempDir: { argument: 'DIR', kind: path, defaultText: 'tmp/ of the working folder', summary: 'folders that jobs run in' },
  enableWebUi: { kind: exactlyOne, default: false, summary: 'the web page' },
  webUiCryptKey: {
    argument: 'TEXT',
    kind: text('text', () => true),
    default: DEFAULT_CRYPT_KEY,
    secret: true,
    summary: 'what cookies of the web page are signed with',
  },
  webUiRemoveUserFilesDelay: {
    argument: 'S',
    kind: seconds('above zero'),
    default: 7200,
    summary: 'seconds after which files of the web page go',
  },
  webUiSecureCookie: { kind: exactlyOne, default: true, summary: 'the cookie of the web page goes over HTTPS only' },
  useAuth: { kind: exactlyOne, default: true, summary: 'clients have to sign what they ask for' },
  transformationsModule: { argument: 'NAME,…', kind: names, default: [], defaultText: 'none', summary: 'ES modules of transformations' },
  allowedWebhookHosts: { argument: 'HOST,…', kind: names, defaultText: 'all', summary: 'hosts that may be notified' },
  immediateMode: { kind: exactlyOne, default: false, summary: 'jobs run in the server, one at a time' },
  updateNotifyRoute: { kind: exactlyOne, default: false, summary: 'accepted and not used' },
  maxBody: { argument: 'SIZE', kind: size(1), default: 100_000_000, summary: 'size of an archive as it is sent' },
  maxUnpacked: {
    argument: 'SIZE',
    kind: size(1),
    default: 1_073_741_824,
    summary: 'size of its files; a folder may grow to four times that',
  },
  maxMembers: { argument: 'N', kind: wholeNumber(1), default: 10_000, summary: 'files and folders in an archive' },
  resultTtl: { argument: 'S', kind: seconds('above zero'), default: 3600, summary: 'seconds that a result is kept' },
  jobTimeout: { argument: 'S', kind: seconds('above zero'), default: 1800, summary: 'seconds that a job may take' },
  sharedJobs: { kind: exactlyOne, default: false, summary: 'an application may fetch jobs of others' },
  transformationsFormat: {
    argument: 'FORMAT',
    kind: oneOf('array', 'object'),
    default: 'array',
    summary: 'what GET /transformations/ answers: names, or descriptions by name',
  },
});

export type TransformSettings = Resolved<typeof TRANSFORM_ROWS>;

/** Where a program that is ready to be called finds its service. */
export const TRANSFORM_CLIENT_ROWS = group('Options', {
  endpoint: { argument: 'URL', kind: anyText, defaultText: 'CIRCE_ENDPOINT', summary: 'address of the service' },
  secret: { argument: 'TEXT', kind: anyText, defaultText: 'CIRCE_SECRET', secret: true, summary: 'secret of the application' },
  appUuid: { argument: 'UUID', kind: anyText, defaultText: 'CIRCE_APP_UUID', summary: 'UUID of the application' },
});

/** `workingDir` → `CIRCE_WORKING_DIR` */
export function circeVariableOf(name: string): string {
  const variable = name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  return name === 'allowedWebhookHosts' ? variable : `CIRCE_${variable}`;
}

/** Name, default and meaning, as the table of docs/transform.md has them. */
export function transformVariables(): readonly (readonly [variable: string, stated: string, meaning: string])[] {
  const rows: readonly [string, OptionRow][] = Object.entries(TRANSFORM_ROWS);
  return rows.map(([name, { kind, default: value, defaultText, summary }]) => {
    const stated = kind.shape === 'switch' ? String(Number(value)) : String(value);
    return [circeVariableOf(name), defaultText ?? `\`${stated}\``, summary];
  });
}
