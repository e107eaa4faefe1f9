/**
 * Real servers of the shared store: Valkey or Redis, whichever this machine has, each in a folder of its own, on a Unix socket and, where
 * asked for, a port of 127.0.0.1.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { storeAddress, type StoreAddress } from '../../../src/store/valkey/address.ts';

/** Of a server, and what asks it from the command line. */
export interface Program {
  readonly server: string;
  readonly cli: string;
}

/** What it says when it can be asked. */
const UP = /eady to accept connections|\+monitor/;

const isThere = (name: string) => spawnSync(name, ['--version']).status === 0;

/** What this machine has. */
export const PROGRAMS: readonly Program[] = ['valkey', 'redis']
  .map((name) => ({ server: `${name}-server`, cli: `${name}-cli` }))
  .filter(({ server, cli }) => isThere(server) && isThere(cli));

export const [PROGRAM] = PROGRAMS;

/** For tests that need one: the reason to skip them, or false. */
export const NO_SERVER = PROGRAM === undefined ? 'there is no valkey-server or redis-server' : false;

export interface Server {
  /** of its Unix socket */
  readonly url: string;
  readonly socket: string;
  readonly address: StoreAddress;
  readonly port: number;
  readonly folder: string;
  /** one command; @returns what redis-cli prints */
  ask(...command: string[]): string;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  /** as a power cut would */
  kill(): Promise<void>;
  /** once more in the same folder; with what was written there */
  start(): Promise<void>;
}

export interface ServerOptions {
  readonly program?: Program;
  readonly port?: number;
  /** lines of its configuration, as flags */
  readonly flags?: readonly string[];
  readonly auth?: readonly string[];
  /** a Sentinel, with this file of its configuration */
  readonly sentinel?: string;
}

export async function startServer(t: { after: (close: () => Promise<void>) => void }, options: ServerOptions = {}): Promise<Server> {
  const { program = PROGRAM, port = 0, flags = [], auth = [], sentinel } = options;
  if (program === undefined) throw new Error(String(NO_SERVER));
  const folder = mkdtempSync(join(tmpdir(), 'warctap-valkey-'));
  const socket = join(folder, 's');
  const url = `unix://${socket}`;
  let child: ChildProcess | undefined;
  const ask = (...command: string[]) => {
    const { stdout, stderr } = spawnSync(program.cli, ['-s', socket, '--no-auth-warning', ...auth, ...command], {
      encoding: 'utf8',
      timeout: 10_000,
    });
    return `${stdout}${stderr}`.trim();
  };
  const kill = async () => {
    if (child?.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  const start = async () => {
    const own = sentinel === undefined ? ['--save', '', '--hash-max-listpack-value', '512', ...flags] : ['--sentinel'];
    const where = [
      ...(sentinel === undefined ? [] : [sentinel]),
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--unixsocket',
      socket,
      '--dir',
      folder,
    ];
    child = spawn(program.server, [...where, ...own], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { stdout } = child;
    let said = '';
    // Its own line, and no waiting in between; then PING, as it may still read what is on its disk.
    if (stdout !== null) for await (const piece of stdout) if (UP.test((said += String(piece)))) break;
    stdout?.resume();
    child.unref();
    if (!ask('PING').includes('PONG')) throw new Error(`${program.server} does not answer: ${said}`);
  };
  t.after(async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  });
  await start();
  const address = addressOf(url);
  return { url, socket, address, port, folder, ask, kill, start, signal: (name) => void child?.kill(name) };
}

export function addressOf(url: string): StoreAddress {
  const address = storeAddress(url);
  if (address === undefined) throw new Error(`${url} is no URL of a store`);
  return address;
}

/** One that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** In front of a server: bytes pass, but for what `change` makes of its answers. */
export async function relay(t: Pick<TestContext, 'after'>, socket: string, change: (text: string) => string): Promise<number> {
  const server = createServer((client) => {
    const upstream = createConnection(socket);
    client.pipe(upstream);
    upstream.on('data', (bytes) => client.write(Buffer.from(change(bytes.toString('latin1')), 'latin1')));
    for (const each of [client, upstream]) {
      each.on('error', () => undefined);
      each.on('close', () => (client.destroy(), upstream.destroy()));
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
