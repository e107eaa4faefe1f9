/**
 * `warctap transform`: the transformation service, its accesses, and a client.
 *
 * Source: spec/circe.md §10.
 */
import { resolve as absolute } from 'node:path';
import { anyText, onOff, path, seconds } from '../../options/kinds.ts';
import { group, type Options } from '../../options/row.ts';
import { TRANSFORM_CLIENT_ROWS, TRANSFORM_ROWS } from '../../options/rows/transform.ts';
import { defineCommand, type CommandFamily } from '../command.ts';
import { EXIT, UsageError } from '../exit.ts';
import { TransformRefusal, transformSetup, type TransformSetup } from '../transform-settings.ts';

const { host, port, workers, debug, accessLog } = TRANSFORM_ROWS;
const ABOUT_SETTINGS = `Everything else is set by variables, CIRCE_…, in the environment or in the file
.env of the current folder: see docs/transform.md.`;
const EXITS = {
  ok: 'stopped by a signal',
  failed: 'could not start: port in use, no such module of transformations …',
  usage: 'bad option or argument',
};
const COMMAND_EXITS = { ok: 'done', failed: 'the working folder cannot be used', usage: 'bad option or argument' };

const serve = defineCommand({
  name: 'serve',
  summary: 'Serve HTTP: takes jobs and hands out results; workers run on their own.',
  own: { host, port, workers, debug, accessLog },
  notes: ABOUT_SETTINGS,
  exits: EXITS,
  run: ({ own }) => start(own, { http: true, workers: false }),
});

const startWorkers = defineCommand({
  name: 'start-workers',
  summary: 'Run jobs, beside any number of servers and other workers of the same folder.',
  own: { workers },
  notes: ABOUT_SETTINGS,
  exits: EXITS,
  run: ({ own }) => start(own, { http: false, workers: true }),
});

const run = defineCommand({
  name: 'run',
  summary: 'Serve HTTP and run jobs, in one process with a process for each job.',
  own: { host, port, workers, debug },
  notes: ABOUT_SETTINGS,
  exits: EXITS,
  run: ({ own }) => start(own, { http: true, workers: true }),
});

const makeApiAccess = defineCommand({
  name: 'make-api-access',
  summary: 'Make a UUID and a secret for an application, or a new secret for one.',
  own: group('Options', {
    title: { short: 't', argument: 'TEXT', kind: anyText, default: 'untitled app', summary: 'what the application is called' },
    appUuid: { argument: 'UUID', kind: anyText, defaultText: 'none', summary: 'give this application a new secret and title' },
    app_uuid: { argument: 'UUID', kind: anyText, defaultText: 'none', summary: 'the same' },
    out: { argument: 'FILE', kind: path, defaultText: 'none', summary: 'write them to a file for clients (mode 600), too' },
  }),
  exits: { ...COMMAND_EXITS, failed: 'there is no such application, or a file cannot be written' },
  run: ({ own: { title = 'untitled app', appUuid, app_uuid: sameUuid, out } }) =>
    withApplications(async (applications) => {
      const [{ dashed }, { replaceFile }] = await Promise.all([import('../../transform/job-id.ts'), import('../../util/private-files.ts')]);
      const asked = appUuid ?? sameUuid;
      const made = asked === undefined ? await applications.add(title) : await applications.renew(plain(asked), title);
      if (made === undefined) throw new TransformRefusal(`No such access: ${asked}`);
      const { uuid, secret } = made;
      if (out !== undefined) await replaceFile(absolute(out), JSON.stringify({ uuid, title, secret, endpoint: null }, null, 4));
      await print(`Access granted to ${title}\nuuid    : ${dashed(uuid)}\nsecret: ${secret}\n`);
    }),
});

const removeApiAccess = defineCommand({
  name: 'remove-api-access',
  summary: 'Take the access of an application away, at once.',
  operands: { name: '[UUID]', summary: 'of the application' },
  exits: { ...COMMAND_EXITS, ok: 'it has no access any more, or never had one' },
  run: ({ operands: [uuid, ...more] }) => {
    if (uuid === undefined || more.length > 0)
      throw new UsageError('remove-api-access: expected one UUID, usage: warctap transform remove-api-access UUID');
    return withApplications((applications) => applications.remove(plain(uuid)));
  },
});

const listApiAccess = defineCommand({
  name: 'list-api-access',
  summary: 'List applications with their secrets, in the order in which they were made.',
  exits: COMMAND_EXITS,
  run: () =>
    withApplications(async (applications) => {
      for (const { uuid, secret, title } of await applications.list()) await print(`${uuid} : ${secret}  [${title}]\n`);
    }),
});

const listTransformations = defineCommand({
  name: 'list-transformations',
  summary: 'Print the descriptions of all transformations, as JSON.',
  exits: { ...COMMAND_EXITS, failed: 'a module of transformations cannot be loaded' },
  run: () =>
    told(async () => {
      const { settings, env } = await transformSetup({});
      const { describeTransformations } = await import('../../transform/describe.ts');
      await print(`${JSON.stringify(await describeTransformations(settings.transformationsModule, process.cwd(), env), null, 4)}\n`);
      return EXIT.ok.code;
    }),
});

const send = defineCommand({
  name: 'send',
  summary: 'Send files to a service, wait, and write what came of them.',
  operands: { name: '[FILE...]', summary: 'files to be transformed' },
  own: {
    ...group('Options', {
      transformation: {
        short: 't',
        argument: 'NAME',
        kind: { ...anyText, shape: 'list', read: (input: unknown) => (Array.isArray(input) ? (input as string[]) : [String(input)]) },
        defaultText: 'none',
        summary: 'NAME, or NAME:{"option": …}; given again for the next one',
      },
      out: { argument: 'DIR', kind: path, default: 'transformed', summary: 'folder for the documents' },
      archive: { argument: 'FILE', kind: path, defaultText: 'none', summary: 'keep the result as it came, and unpack nothing' },
      credentials: { argument: 'FILE', kind: path, defaultText: 'none', summary: 'file that make-api-access --out has written' },
      timeout: { argument: 'S', kind: seconds('above zero'), default: 1800, summary: 'seconds to wait for the result' },
      quiet: { short: 'q', kind: onOff, default: false, summary: 'no line about how far it is' },
    }),
    ...TRANSFORM_CLIENT_ROWS,
  },
  notes: `The secret is better given by CIRCE_SECRET or --credentials: what stands on a
command line can be seen by other users of the machine.`,
  exits: {
    ok: 'all done, documents are written',
    failed: 'the job failed, the service refused it, or it took too long',
    usage: 'bad option or argument',
  },
  run: async ({ operands, own }) => {
    const { sendFiles } = await import('../send-files.ts');
    return sendFiles({
      ...own,
      timeout: own.timeout === undefined ? undefined : Number(own.timeout),
      files: operands,
      environment: process.env,
      output: process.stdout,
      progress: process.stderr,
    });
  },
});

export const transform: CommandFamily = {
  name: 'transform',
  summary: 'Document transformation service: takes files as jobs, and converts them.',
  helpAlone: true,
  commands: [serve, startWorkers, run, makeApiAccess, removeApiAccess, listApiAccess, listTransformations, send],
};

async function start(flags: Options<typeof TRANSFORM_ROWS>, sides: { readonly http: boolean; readonly workers: boolean }): Promise<number> {
  return told(async () => {
    const { settings, places, env } = await transformSetup(flags);
    if (settings.immediateMode && !sides.http) throw new TransformRefusal("Can't start workers if CIRCE_IMMEDIATE_MODE=1");
    const [{ runProgram }, { openTransform }] = await Promise.all([import('../run-program.ts'), import('../../programs/transform.ts')]);
    const gathered = {
      rows: TRANSFORM_ROWS,
      given: {},
      places,
      logLevel: settings.debug ? 'verbose' : 'info',
      summarySeconds: 0,
      unknownVariables: [],
    } as const;
    return runProgram(gathered, {
      start: (_, log) =>
        openTransform({ settings, ...sides, workers: sides.workers || settings.immediateMode, cwd: process.cwd(), env, log }),
      tell: ({ url }) => startBlock(url, settings, sides.workers || settings.immediateMode),
    });
  });
}

function startBlock(
  url: string | undefined,
  { workingDir, workers: count, immediateMode, enableWebUi }: TransformSetup['settings'],
  works: boolean,
): string {
  return [
    url === undefined ? 'warctap transform runs jobs' : `warctap transform listens on ${url}`,
    `  working folder  ${absolute(workingDir)}`,
    works ? `  jobs at once    ${immediateMode ? 1 : count}` : '  jobs at once    none here: warctap transform start-workers',
    ...(url !== undefined && enableWebUi ? [`  web page        ${url}/ui/`] : []),
    '',
  ].join('\n');
}

/** The words of the reference stand alone on their line. */
async function told(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TransformRefusal) && !(error instanceof Error && error.name === 'SocketError')) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT.failed.code;
  }
}

async function withApplications(work: (applications: import('../../auth/applications.ts').Applications) => Promise<void>): Promise<number> {
  return told(async () => {
    const { settings } = await transformSetup({});
    const [{ Applications }, { loadFileLock }, { makeFolders }] = await Promise.all([
      import('../../auth/applications.ts'),
      import('../../util/file-lock.ts'),
      import('../../util/folder.ts'),
    ]);
    const dir = absolute(settings.workingDir);
    await makeFolders(dir, 0o700);
    await work(new Applications(dir, loadFileLock()));
    return EXIT.ok.code;
  });
}

function plain(uuid: string): string {
  return uuid.replaceAll('-', '').toLowerCase();
}

function print(text: string): Promise<void> {
  return new Promise((done) => process.stdout.write(text, () => done()));
}
