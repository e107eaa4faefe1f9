/**
 * Client of a transformation service, for programs: `import { Client } from 'warctap/transform-client'`.
 *
 * Elements and behaviour are those of the Python client, in camel case; where that hangs or is silent this one throws.
 * Source: spec/circe.md §11.
 */
import { createHmac } from 'node:crypto';
import { createReadStream, createWriteStream, readFileSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { performance } from 'node:perf_hooks';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { AccessDenied, ClientException, TimeoutException } from './client-errors.ts';
import { Job } from './client-job.ts';

export { AccessDenied, ClientException, TimeoutException } from './client-errors.ts';
export { Job, JobResult, type ResultFile } from './client-job.ts';
// For those who write transformations in TypeScript.
export type { Logger } from './out-log.ts';
export type { Description, OptionDescription, Transformation } from './transformation.ts';

export interface ClientOptions {
  /** CIRCE_ENDPOINT unless given */
  readonly apiEndpoint?: string | undefined;
  /** CIRCE_SECRET unless given */
  readonly secretKey?: string | undefined;
  /** CIRCE_APP_UUID unless given */
  readonly applicationUuid?: string | undefined;
  /** a file that `make-api-access --out` has written, which then says all three */
  readonly credentialsFilePath?: string | undefined;
}

/** Where a job stands. */
export interface JobStatus {
  readonly id: string;
  readonly state: 'queued' | 'running' | 'done' | 'failed';
  readonly position: number | null;
  readonly transformation: string | null;
  readonly started: string | null;
  readonly log_lines: number;
}

export class Client {
  readonly endpoint: string;
  readonly applicationUuid: string;
  readonly #secret: string;

  /** @throws ClientException when something is missing */
  constructor(options: ClientOptions = {}) {
    const { endpoint, secret, uuid } =
      options.credentialsFilePath === undefined ? fromOptions(options) : fromFile(options.credentialsFilePath);
    if (!endpoint || !secret || !uuid) throw new ClientException('Missing parameters');
    this.endpoint = endpoint.endsWith('/') ? endpoint : `${endpoint}/`;
    this.applicationUuid = uuid;
    this.#secret = secret;
  }

  newJob(): Job {
    return new Job();
  }

  /** @returns undefined unless the service answers 200 */
  async availableTransformations(): Promise<readonly string[] | undefined> {
    const answer = await this.#call('GET', 'transformations/');
    const text = await textOf(answer);
    if (answer.statusCode !== 200) return undefined;
    const said = JSON.parse(text) as readonly string[] | Readonly<Record<string, unknown>>;
    return Array.isArray(said) ? (said as readonly string[]) : Object.keys(said);
  }

  /**
   * Send a job.
   *
   * @param wait for its end: its result is stored then, otherwise its uuid is set
   * @param destinationFile of the result; a temporary one of the job unless given
   * @throws AccessDenied, ClientException, or the system's error
   */
  async send(job: Job, wait = false, destinationFile?: string): Promise<void> {
    const archive = await job.makeArchive();
    try {
      const hmac = createHmac('sha256', this.#secret);
      for await (const piece of createReadStream(archive)) hmac.update(piece as Buffer);
      const answer = await this.#call('POST', wait ? 'job/?block=1' : 'job/', hmac.digest('hex'), archive);
      if (answer.statusCode !== 200) throw await exceptionOf(answer);
      if (wait) await this.#store(job, answer, destinationFile);
      else job.uuid = await textOf(answer);
    } finally {
      await rm(archive, { force: true });
      // A result of an earlier time may still be wanted.
      if (job.result === undefined) await job.dispose();
    }
  }

  /** Ask once for the result; sends first, if need be. Nothing happens unless it is there. */
  async fetch(job: Job, destinationFile?: string): Promise<void> {
    const answer = await this.#ask(job);
    if (answer.statusCode === 200) await this.#store(job, answer, destinationFile);
    else answer.resume();
  }

  /**
   * Ask for the result until it is there; sends first, if need be.
   *
   * @param timeout seconds, of which whole ones count
   * @param pollInterval seconds
   * @throws TimeoutException; AccessDenied and ClientException where it would never come
   */
  async poll(job: Job, destinationFile?: string, timeout = 30, pollInterval = 1): Promise<void> {
    const startedMs = performance.now();
    for (;;) {
      const answer = await this.#ask(job);
      if (answer.statusCode === 200) return this.#store(job, answer, destinationFile);
      if (answer.statusCode === 403 || answer.statusCode === 404) throw await exceptionOf(answer);
      answer.resume();
      if (Math.floor((performance.now() - startedMs) / 1000) > timeout)
        throw new TimeoutException(`the result of job ${job.uuid} did not come within ${timeout} s`);
      await setTimeout(pollInterval * 1000);
    }
  }

  /** Where a job stands that was sent. @throws AccessDenied or ClientException */
  async status(job: Job): Promise<JobStatus> {
    const answer = await this.#ask(job, '?status=1');
    if (answer.statusCode !== 200) throw await exceptionOf(answer);
    return JSON.parse(await textOf(answer)) as JobStatus;
  }

  async #ask(job: Job, query = ''): Promise<IncomingMessage> {
    if (job.uuid === undefined) await this.send(job);
    const uuid = job.uuid ?? '';
    return this.#call('GET', `job/${uuid}${query}`, createHmac('sha256', this.#secret).update(uuid).digest('hex'));
  }

  async #store(job: Job, answer: IncomingMessage, destinationFile: string | undefined): Promise<void> {
    const file = destinationFile ?? (await job.temporary('result.tar.gz'));
    await pipeline(answer, createWriteStream(file));
    job.setResult(file);
  }

  /** Without a time-out of its own: who waits for a job waits as long as it takes. */
  async #call(method: string, path: string, signature?: string, file?: string): Promise<IncomingMessage> {
    const url = new URL(path, this.endpoint);
    const headers: Record<string, string> = {};
    if (signature !== undefined) headers.Authorization = `${this.applicationUuid} ${signature}`;
    if (file !== undefined) headers['Content-Length'] = String((await stat(file)).size);
    return new Promise((resolve, reject) => {
      const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, { method, headers }, resolve);
      request.on('error', reject);
      if (file === undefined) request.end();
      // A service may answer before it has read everything: then that is what counts, and not that it reads no more.
      else pipeline(createReadStream(file), request).catch(reject);
    });
  }
}

interface Credentials {
  readonly endpoint?: string | null | undefined;
  readonly secret?: string | null | undefined;
  readonly uuid?: string | null | undefined;
}

function fromOptions({ apiEndpoint, secretKey, applicationUuid }: ClientOptions): Credentials {
  const { CIRCE_ENDPOINT, CIRCE_SECRET, CIRCE_APP_UUID } = process.env;
  return { endpoint: apiEndpoint ?? CIRCE_ENDPOINT, secret: secretKey ?? CIRCE_SECRET, uuid: applicationUuid ?? CIRCE_APP_UUID };
}

function fromFile(path: string): Credentials {
  return JSON.parse(readFileSync(path, 'utf8')) as Credentials;
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of answer.setEncoding('utf8') as AsyncIterable<string>) text += piece;
  return text;
}

async function exceptionOf(answer: IncomingMessage): Promise<ClientException> {
  const said = (await textOf(answer)).trim().split('\n', 1)[0] ?? '';
  if (answer.statusCode === 403) return new AccessDenied(said);
  return new ClientException(`Unsupported server status: ${answer.statusCode}${said === '' ? '' : ` (${said.slice(0, 300)})`}`);
}
