/** Commands as a newcomer types them: in a shell, with nothing of this checkout on PATH, and with a web of one page behind the proxy. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, sep } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { atExit } from './at-exit.ts';
import { ok } from './messages.ts';
import { startOrigin } from './origin.ts';
import { startSocks } from './socks.ts';

export const PAGE = '<title>the page</title>';

export interface Newcomer {
  /** @returns what it has printed on standard output. @throws with all that it has printed, unless it ends with 0 */
  type(command: string): Promise<string>;
  /** Start what runs until Ctrl-C. @returns its first line that has this, and Ctrl-C, which resolves with the exit code */
  keepRunning(command: string, until: RegExp): Promise<{ line: string; stop: () => Promise<number | null> }>;
}

/** What npm says when it cannot reach its registry: no fault of the package. */
const NO_REGISTRY = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED|E40[1379])\b/;

export function lacksRegistry(error: unknown): boolean {
  return NO_REGISTRY.test(String(error));
}

/** Somebody in this folder. Every name of the web leads to one page. */
export async function newcomerIn(t: TestContext, cwd: string): Promise<Newcomer> {
  const origin = await startOrigin(({ socket }) => socket.write(ok(PAGE, 'Content-Type: text/html\r\n')), { tls: true });
  const socks = await startSocks(undefined, origin.port);
  t.after(() => Promise.all([origin[Symbol.asyncDispose](), socks[Symbol.asyncDispose]()]));
  const inherited = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_(?!EXTRA_CA_CERTS)|WARCTAP_|INIT_CWD$)/.test(name));
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.endsWith(`node_modules${sep}.bin`));
  const env = {
    ...Object.fromEntries(inherited),
    PATH: folders.join(delimiter),
    npm_config_prefer_offline: 'true',
    npm_config_fetch_retry_mintimeout: '1000',
    npm_config_fetch_retry_maxtimeout: '2000',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    WARCTAP_PORT: '0',
    WARCTAP_MIN_FREE_SPACE: '0',
    WARCTAP_SOCKS_PROXY: `127.0.0.1:${socks.port}`,
  };
  const begin = (command: string): ChildProcess => {
    // A process group of its own, as a terminal gives it one: Ctrl-C goes to all of it.
    const child = spawn(command, { cwd, env, shell: true, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const signal = (name: NodeJS.Signals) => {
      try {
        process.kill(-(child.pid ?? 0), name);
      } catch {
        // It has gone.
      }
    };
    child.kill = (name = 'SIGTERM') => (signal(name as NodeJS.Signals), true);
    atExit(() => signal('SIGKILL'));
    return child;
  };
  return {
    async type(command) {
      const child = begin(command);
      let [said, all] = ['', ''];
      child.stdout?.setEncoding('utf8').on('data', (text: string) => ((said += text), (all += text)));
      child.stderr?.setEncoding('utf8').on('data', (text: string) => (all += text));
      const [code] = (await once(child, 'close')) as [number | null];
      if (code !== 0) throw new Error(`${command}: ended with ${code}\n${all}`);
      return said;
    },
    async keepRunning(command, until) {
      const child = begin(command);
      const ended = once(child, 'close').then(([code]) => code as number | null);
      t.after(() => child.kill('SIGKILL'));
      const seen: string[] = [];
      const line = await new Promise<string>((resolve, reject) => {
        for (const stream of [child.stdout, child.stderr]) {
          if (stream === null) continue;
          createInterface(stream).on('line', (text) => {
            seen.push(text);
            if (until.test(text)) resolve(text);
          });
        }
        void ended.then((code) => reject(new Error(`${command}: ended with ${code}\n${seen.join('\n')}`)));
      });
      return { line, stop: () => (child.kill('SIGINT'), ended) };
    },
  };
}
