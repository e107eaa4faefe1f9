/**
 * Firefox without a window, driven by WebDriver BiDi on a WebSocket: a page, and what a script says in it. A fresh profile for each.
 *
 * Source: https://www.w3.org/TR/webdriver-bidi/
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { findTool, type Tool } from './tools.ts';

export function firefoxTool(): Tool {
  return findTool({
    commands: ['firefox-esr', 'firefox'],
    ask: ['--version'],
    says: /^Mozilla Firefox \d/m,
    needs: 'Firefox on PATH',
  });
}

export interface Page extends AsyncDisposable {
  /** Resolves when the page has loaded. */
  goto(url: string): Promise<void>;
  /** @param expression whose value, or what it resolves with, is text */
  evaluate(expression: string): Promise<string>;
}

interface Reply {
  readonly id?: number;
  readonly type: 'success' | 'error' | 'event';
  readonly result?: Record<string, unknown>;
  readonly message?: string;
}

/** It asks nobody but for what a page wants; and loopback addresses by the proxy, too. */
const PREFERENCES = {
  'network.proxy.allow_hijacking_localhost': true,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'app.normandy.enabled': false,
  'browser.safebrowsing.downloads.remote.enabled': false,
  'services.settings.server': 'data:,',
};

/** @param proxyPort of 127.0.0.1 */
export async function openFirefox(command: string, proxyPort: number): Promise<Page> {
  const profile = await mkdtemp(join(tmpdir(), 'warctap-firefox-'));
  const lines = Object.entries(PREFERENCES).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`);
  await writeFile(join(profile, 'user.js'), lines.join(''));
  const args = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'];
  const running = spawn(command, args, { env: { ...process.env, HOME: profile }, stdio: ['ignore', 'ignore', 'pipe'] });
  let address: string | undefined;
  for await (const line of createInterface(running.stderr)) {
    address = /^WebDriver BiDi listening on (ws:\S+)/.exec(line)?.[1];
    if (address !== undefined) break;
  }
  running.stderr.resume();
  if (address === undefined) throw new Error('Firefox does not listen');
  const socket = new WebSocket(`${address}/session`);
  await once(socket, 'open');
  const waiting = new Map<number, (reply: Reply) => void>();
  socket.on('message', (data: Buffer) => {
    const reply = JSON.parse(data.toString()) as Reply;
    if (reply.id !== undefined) waiting.get(reply.id)?.(reply);
  });
  const call = async (method: string, params: object): Promise<Record<string, unknown>> => {
    const id = waiting.size + 1;
    const told = new Promise<Reply>((resolve) => waiting.set(id, resolve));
    socket.send(JSON.stringify({ id, method, params }));
    const { type, result = {}, message = '' } = await told;
    if (type === 'error') throw new Error(`${method}: ${message}`);
    return result;
  };
  const proxy = `127.0.0.1:${proxyPort}`;
  const manual = { proxyType: 'manual', httpProxy: proxy, sslProxy: proxy };
  await call('session.new', { capabilities: { alwaysMatch: { acceptInsecureCerts: true, proxy: manual } } });
  const { context } = await call('browsingContext.create', { type: 'tab' });
  return {
    goto: async (url) => {
      await call('browsingContext.navigate', { context, url, wait: 'complete' });
    },
    evaluate: async (expression) => {
      const { result, exceptionDetails } = await call('script.evaluate', { expression, target: { context }, awaitPromise: true });
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { readonly value: string }).value;
    },
    [Symbol.asyncDispose]: async () => {
      socket.terminate();
      running.kill('SIGKILL');
      if (running.exitCode === null && running.signalCode === null) await once(running, 'exit');
      // Its helpers write until they notice.
      await rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}
