/** What the tests of finished files share: a folder of files, a log, steps that do as they are told, and a server of S3. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as passed } from 'node:timers/promises';
import { writeFileSync } from 'node:fs';
import { Finished, type FinishedOptions } from '../../src/finished/finished.ts';
import type { FinishedFile, Step } from '../../src/finished/step.ts';
import { fromVenv } from '../interop/validators.ts';
import { atExit } from '../support/at-exit.ts';

export function fileIn(dir: string, name: string, bytes: string | Buffer = name): string {
  writeFileSync(join(dir, name), bytes);
  return join(dir, name);
}

export interface Told {
  readonly level: string;
  readonly message: string;
}

export function tellingLog(): { readonly log: FinishedOptions['log']; readonly told: Told[] } {
  const told: Told[] = [];
  const at = (level: string) => (_: object, message: string) => void told.push({ level, message });
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, told };
}

/** A step that tells of each file, and does with it what `act` does. */
export function stepOf(name: string, act: (file: FinishedFile, signal: AbortSignal) => unknown, more: Partial<Step> = {}): Step {
  return {
    name,
    atOnce: 2,
    tries: Infinity,
    run: async (file, signal) => {
      await act(file, signal);
    },
    ...more,
  };
}

export function openFinished(dir: string, steps: readonly Step[], log = tellingLog().log): Promise<Finished> {
  return Finished.open({ dir, subdirPrefix: false, steps, prefixOf: (path) => path.split('-')[0], log });
}

/** Resolves when `look` is true; what it looks at has no event. */
export async function until(look: () => boolean): Promise<void> {
  while (!look()) await passed(10);
}

export const moto = fromVenv('moto_server', ['--help'], /moto_server/);

/** @returns where a server of S3 is, with nothing in it. @param users who comes without a key that it knows is refused */
export async function startS3(t: TestContext, users = false): Promise<string> {
  const port = await freePort();
  const env = { ...process.env, ...(users ? { INITIAL_NO_AUTH_ACTION_COUNT: '4' } : {}) };
  const child = spawn(moto.command, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore', env });
  const kill = atExit(() => child.kill('SIGKILL'));
  const ended = once(child, 'close');
  t.after(async () => {
    kill();
    await ended;
  });
  const url = `http://127.0.0.1:${port}`;
  while (child.exitCode === null && (await fetch(`${url}/moto-api/data.json`).catch(() => undefined)) === undefined) await passed(50);
  return url;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
