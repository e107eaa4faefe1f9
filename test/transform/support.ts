/** The service as a process of its own, straight from its TypeScript, and archives of every kind. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync, gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { atExit } from '../support/at-exit.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What was built: for what is measured, as users run it. */
export const BUILT: readonly string[] = [`${ROOT}bin/warctap.js`];
/** With WARCTAP_TEST_BUILT that as well, for long runs. */
const PROGRAM = process.env.WARCTAP_TEST_BUILT === undefined ? ['--import', import.meta.resolve('tsx'), `${ROOT}src/cli/main.ts`] : BUILT;

/** A folder that goes with the test file. */
export class Workplace {
  readonly dir = mkdtempSync(join(tmpdir(), 'warctap-transform-'));
  readonly work = join(this.dir, 'work');

  constructor() {
    atExit(() => rmSync(this.dir, { recursive: true, force: true }));
  }

  /** @returns its path */
  write(name: string, content: string | Buffer): string {
    const path = join(this.dir, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  /** Names in a folder of the working folder. */
  names(folder: string): string[] {
    return readdirSync(join(this.work, folder)).sort();
  }
}

export interface Command {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Resolves when standard output or error has this. */
  said(part: string): Promise<void>;
}

export type Variables = Readonly<Record<string, string | undefined>>;

/** `warctap transform …` in the place's folder, with its working folder unless told otherwise. */
export function command(place: Workplace, args: readonly string[], variables: Variables = {}, program = PROGRAM): Command {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(WARCTAP|NODE|CIRCE)_/.test(name));
  const env = { ...Object.fromEntries(inherited), CIRCE_WORKING_DIR: place.work, ...variables };
  const child = spawn(process.execPath, [...program, 'transform', ...args], {
    cwd: place.dir,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = atExit(() => child.kill('SIGKILL'));
  const texts = { stdout: '', stderr: '' };
  const waiting = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
      for (const look of waiting) look();
    });
  const ended = once(child, 'close').then(([code, signal]) => {
    kill();
    return { code: code as number | null, signal: signal as NodeJS.Signals | null };
  });
  const said = (part: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!(texts.stdout + texts.stderr).includes(part)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
      void ended.then(() => reject(new Error(`ended without ${JSON.stringify(part)}: ${texts.stdout}${texts.stderr}`)));
    });
  return { child, stdout: () => texts.stdout, stderr: () => texts.stderr, ended, said };
}

export async function runCommand(
  place: Workplace,
  args: readonly string[],
  variables?: Variables,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const run = command(place, args, variables);
  const { code } = await run.ended;
  return { code, stdout: run.stdout(), stderr: run.stderr() };
}

export interface Service extends AsyncDisposable {
  readonly url: string;
  readonly run: Command;
  /** @returns its exit code */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** @param what `run`, `serve` or `start-workers`, with its options; signatures are off unless the variables say otherwise */
export async function startService(
  place: Workplace,
  what: readonly string[] = ['run'],
  variables: Variables = {},
  program = PROGRAM,
): Promise<Service> {
  const port = what[0] === 'start-workers' ? [] : ['--port', '0'];
  const run = command(place, [...what, ...port], { CIRCE_USE_AUTH: '0', CIRCE_WORKERS: '2', ...variables }, program);
  await run.said(what[0] === 'start-workers' ? 'runs jobs' : 'listens on');
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    run.child.kill(signal);
    return (await run.ended).code;
  };
  return {
    url: /listens on (\S+)/.exec(run.stdout())?.[1] ?? '',
    run,
    stop,
    async [Symbol.asyncDispose]() {
      await stop('SIGKILL');
    },
  };
}

export interface RawMember {
  readonly name: string | Buffer;
  readonly flag?: string;
  readonly content?: string | Buffer;
  readonly link?: string;
  /** instead of that of the content */
  readonly size?: number;
  readonly mode?: number;
  /** goes in front of it as a pax header */
  readonly pax?: string | Buffer;
}

/** A tar file as it is told, right or wrong. */
export function tarOf(members: readonly RawMember[], end = true): Buffer {
  const blocks = members.flatMap((member) => [
    ...(member.pax === undefined ? [] : memberBlocks({ name: 'pax', flag: 'x', content: member.pax })),
    ...memberBlocks(member),
  ]);
  return Buffer.concat([...blocks, end ? Buffer.alloc(1024) : Buffer.alloc(0)]);
}

function memberBlocks({ name, flag = '0', content = '', link = '', size, mode = 0o644 }: RawMember): Buffer[] {
  const bytes = Buffer.from(content);
  const header = Buffer.alloc(512);
  Buffer.from(name).copy(header, 0, 0, 100);
  header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100);
  header.write('0000000\x000000000\0', 108);
  header.write(`${(size ?? bytes.length).toString(8).padStart(11, '0')}\0`, 124);
  header.write('14000000000\0', 136);
  header.write('        ', 148);
  header.write(flag, 156);
  header.write(link, 157, 100);
  header.write('ustar\x0000', 257);
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
}

/** `30 mtime=1.5\n` and so on, with the right length. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest);
  while (length !== Buffer.byteLength(rest) + String(length).length) length = Buffer.byteLength(rest) + String(length).length;
  return `${length}${rest}`;
}

export function jobJson(names: readonly (string | readonly [string, object])[] = ['donothing'], more: object = {}): RawMember {
  const transformations = names.map((each) => (typeof each === 'string' ? { name: each } : { name: each[0], options: each[1] }));
  return { name: 'job.json', content: JSON.stringify({ transformations, ...more }) };
}

/** A job, ready to be sent. */
export function jobArchive(
  names?: Parameters<typeof jobJson>[0],
  files: Readonly<Record<string, string | Buffer>> = { 'a.txt': 'text' },
  more?: object,
): Buffer {
  return gzipSync(tarOf([jobJson(names, more), ...Object.entries(files).map(([name, content]) => ({ name, content }))]), { level: 1 });
}

export interface ResultMember {
  readonly type: string;
  readonly content: string;
  readonly mode: number;
}

/** What is in a result, read by another library. */
export async function membersOf(archive: Buffer): Promise<Map<string, ResultMember>> {
  const members = new Map<string, ResultMember>();
  const reader = extract();
  reader.on('entry', (header, stream, next) => {
    const pieces: Buffer[] = [];
    stream.on('data', (piece) => pieces.push(piece as Buffer));
    stream.on('end', () => {
      members.set(header.name, { type: header.type, content: Buffer.concat(pieces).toString(), mode: header.mode });
      next();
    });
  });
  reader.end(gunzipSync(archive));
  await once(reader, 'close');
  return members;
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [key: string]: unknown;
}

export async function logOf(archive: Buffer): Promise<LogLine[]> {
  const text = (await membersOf(archive)).get('out.log')?.content ?? '';
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);
}

/** Send a job and wait for its result. */
export async function convert(
  url: string,
  archive: Buffer,
): Promise<{ status: string | null; archive: Buffer; members: Map<string, ResultMember>; log: LogLine[] }> {
  const answer = await fetch(`${url}/job/?block=1`, { method: 'POST', body: new Uint8Array(archive) });
  const body = Buffer.from(await answer.arrayBuffer());
  if (answer.status !== 200) throw new Error(`${answer.status} ${body.toString()}`);
  return { status: answer.headers.get('x-circe-job-status'), archive: body, members: await membersOf(body), log: await logOf(body) };
}

export async function submit(url: string, archive: Buffer): Promise<string> {
  const answer = await fetch(`${url}/job/`, { method: 'POST', body: new Uint8Array(archive) });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${answer.status} ${text}`);
  return text;
}

export function signed(secret: string, message: string | Buffer): string {
  return createHmac('sha256', secret).update(message).digest('hex');
}

/** Something that is looked at until it is so. */
export async function until(what: () => boolean): Promise<void> {
  while (!what()) await setTimeout(20);
}
