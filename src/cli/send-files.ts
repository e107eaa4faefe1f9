/**
 * What `warctap transform send` does: sends files, tells how far the job is, writes what came of it.
 */
import { basename } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { performance } from 'node:perf_hooks';
import { Client, AccessDenied, type Job, type JobStatus } from '../transform/client.ts';
import type { Environment } from './gather.ts';
import { reasonOf } from '../util/thrown.ts';
import { EXIT, UsageError } from './exit.ts';

export interface SendFiles {
  readonly files: readonly string[];
  /** `NAME`, or `NAME:{"option": "value"}` */
  readonly transformation?: readonly string[] | string | undefined;
  /** folder for the documents */
  readonly out?: string | undefined;
  /** file for the result as it came */
  readonly archive?: string | undefined;
  readonly credentials?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly secret?: string | undefined;
  readonly appUuid?: string | undefined;
  /** seconds */
  readonly timeout?: number | undefined;
  readonly quiet?: boolean | undefined;
  readonly environment: Environment;
  readonly output: NodeJS.WritableStream;
  readonly progress: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

export const DEFAULT_OUT = 'transformed';
const DEFAULT_TIMEOUT_SECONDS = 1800;
const LOOK_MS = 500;

/** @returns the exit code. @throws UsageError, ClientException, or the system's error */
export async function sendFiles(asked: SendFiles): Promise<number> {
  const { files, transformation: steps = [], out = DEFAULT_OUT, archive, timeout = DEFAULT_TIMEOUT_SECONDS, output } = asked;
  const transformation = typeof steps === 'string' ? [steps] : steps;
  if (files.length === 0) throw new UsageError('send: expected at least one file, see transform send --help');
  if (transformation.length === 0)
    throw new UsageError('send: expected --transformation NAME, see what there is with transform list-transformations');
  const client = clientOf(asked);
  await using job = client.newJob();
  for (const file of files) job.addFile(file, uniqueName(file, files));
  for (const each of transformation) addStep(job, each);
  try {
    await client.send(job);
  } catch (error) {
    if (!(error instanceof AccessDenied)) throw error;
    throw new Error(
      `${client.endpoint} refuses the signature (${error.message}): expected CIRCE_APP_UUID and CIRCE_SECRET, or --credentials FILE`,
      { cause: error },
    );
  }
  const status = await follow(client, job, timeout, progressLine(asked));
  await client.fetch(job, archive);
  const { result } = job;
  if (result === undefined) throw new Error(`the result of job ${job.uuid} is gone`);
  for await (const { level, message } of result.log)
    if (level === 'ERROR' || level === 'WARNING') asked.progress.write(`${level.toLowerCase()}: ${String(message)}\n`);
  const names = archive === undefined ? (await result.extract(out)).map((name) => `${out}/${name}`) : [archive];
  output.write(names.map((name) => `${name}\n`).join(''));
  return status.state === 'failed' ? EXIT.failed.code : EXIT.ok.code;
}

function clientOf({ credentials, environment, endpoint = environment.CIRCE_ENDPOINT, secret, appUuid }: SendFiles): Client {
  if (credentials !== undefined) {
    const client = attempt(() => new Client({ credentialsFilePath: credentials, apiEndpoint: endpoint }), '--credentials', credentials);
    return client;
  }
  if (endpoint === undefined || !/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint))
    throw new UsageError(`send: expected the address of a service, such as http://127.0.0.1:8000/, by --endpoint or CIRCE_ENDPOINT`);
  // A service may do without signatures: that one of these is missing is for it to say.
  const { CIRCE_SECRET = 'none', CIRCE_APP_UUID = 'none' } = environment;
  return new Client({ apiEndpoint: endpoint, secretKey: secret ?? CIRCE_SECRET, applicationUuid: appUuid ?? CIRCE_APP_UUID });
}

function attempt(make: () => Client, option: string, value: string): Client {
  try {
    return make();
  } catch (error) {
    throw new UsageError(
      `${option}: expected a file with uuid, secret and endpoint, as make-api-access --out makes it, got ${JSON.stringify(value)} (${reasonOf(error)})`,
      { cause: error },
    );
  }
}

function uniqueName(file: string, all: readonly string[]): string {
  const name = basename(file);
  const same = all.filter((each) => basename(each) === name);
  if (same.length > 1) throw new UsageError(`send: expected files with different names, got ${same.join(' and ')}`);
  return name;
}

function addStep(job: Job, text: string): void {
  const colon = text.indexOf(':');
  if (colon === -1) return void job.addTransformation(text);
  let options: unknown;
  try {
    options = JSON.parse(text.slice(colon + 1));
  } catch (error) {
    throw new UsageError(`--transformation: expected NAME or NAME:{"option": "value"}, got ${JSON.stringify(text)} (${reasonOf(error)})`, {
      cause: error,
    });
  }
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new UsageError(`--transformation: expected an object after the colon, got ${JSON.stringify(text)}`);
  job.addTransformation(text.slice(0, colon), options as Record<string, unknown>);
}

async function follow(client: Client, job: Job, timeoutSeconds: number, tell: (line: string, last: boolean) => void): Promise<JobStatus> {
  const startedMs = performance.now();
  for (;;) {
    const status = await client.status(job);
    const ended = status.state === 'done' || status.state === 'failed';
    tell(`job ${job.uuid}: ${lineOf(status)}`, ended);
    if (ended) return status;
    if (performance.now() - startedMs > timeoutSeconds * 1000)
      throw new Error(`job ${job.uuid} takes longer than ${timeoutSeconds} s (--timeout); it goes on, and its result is kept for a while`);
    await setTimeout(LOOK_MS);
  }
}

function lineOf({ state, position, transformation, log_lines: lines }: JobStatus): string {
  if (state === 'queued') return `waits, place ${position} in the queue`;
  if (state === 'running') return `runs${transformation === null ? '' : ` ${transformation}`}, ${lines} lines logged`;
  return state;
}

/** On a terminal one line that changes; elsewhere a line for each change. */
function progressLine({ progress, quiet = false }: SendFiles): (line: string, last: boolean) => void {
  let before = '';
  return (line, last) => {
    if (quiet || line === before) return;
    before = line;
    if (progress.isTTY === true) progress.write(`\r\x1b[K${line}${last ? '\n' : ''}`);
    else progress.write(`${line}\n`);
  };
}
