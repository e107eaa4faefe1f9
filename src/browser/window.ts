/**
 * A browser with a profile that is thrown away, as a process: it runs until its user closes it, or until it is closed.
 *
 * Owns the process; never outlives it. The profile is its caller's.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { performance } from 'node:perf_hooks';
import { reasonOf } from '../util/thrown.ts';
import { fillChromiumProfile } from './chromium-profile.ts';
import { NoBrowserError } from './errors.ts';
import type { FoundBrowser } from './find.ts';
import { FIREFOX_ENV, prepareFirefox } from './firefox.ts';
import { chromiumArguments } from './switches.ts';

export interface WindowParts {
  readonly browser: FoundBrowser;
  /** `http://127.0.0.1:PORT` */
  readonly proxyUrl: string;
  /** of the key of the proxy's certificates, Base64 */
  readonly keySha256: string;
  /** file of the authority's certificate, PEM */
  readonly caFile: string;
  /** an empty folder, in one that is thrown away with it */
  readonly profile: string;
  readonly headless: boolean;
  /** where to begin */
  readonly url: string | undefined;
}

/** One that has ended so soon, with an exit code, has not started. */
const START_MS = 5000;
/** To write its profile, which nobody needs. */
const END_MS = 5000;
const MAX_SAID_CHARS = 4000;

export class BrowserWindow {
  /** Resolves when it is closed. @throws NoBrowserError when it has not started */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #closing = false;

  private constructor(child: ChildProcess, executable: string) {
    this.#child = child;
    this.#closed = once(child, 'close').catch(() => undefined);
    this.ended = this.#watch(executable);
    this.ended.catch(() => undefined);
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    void this.#closed.then(() => process.off('exit', kill));
  }

  /** @throws NoBrowserError when it cannot be prepared */
  static async open(parts: WindowParts): Promise<BrowserWindow> {
    const { browser, profile, headless, url, proxyUrl, keySha256: spkiSha256, caFile } = parts;
    const { kind, executable } = browser;
    const { hostname: host, port } = new URL(proxyUrl);
    if (kind === 'chromium') await fillChromiumProfile(profile);
    const args =
      kind === 'chromium'
        ? chromiumArguments({ proxyUrl, spkiSha256, profile, headless, url })
        : await prepareFirefox({ proxy: { host, port: Number(port) }, caFile, profile, headless, url });
    // What it leaves in the folder of temporary files goes with the profile; elsewhere paths would be too long for its sockets.
    const places = process.platform === 'linux' ? { TMPDIR: dirname(profile) } : {};
    const env = { ...process.env, ...places, ...(kind === 'chromium' ? {} : FIREFOX_ENV) };
    return new BrowserWindow(spawn(executable, args, { env, stdio: ['ignore', 'ignore', 'pipe'] }), executable);
  }

  async close(): Promise<void> {
    this.#closing = true;
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null) this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), END_MS);
    await this.#closed;
    clearTimeout(late);
  }

  async #watch(executable: string): Promise<void> {
    const beganMs = performance.now();
    let said = '';
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-MAX_SAID_CHARS)));
    let failed: unknown;
    this.#child.once('error', (error) => (failed = error));
    await this.#closed;
    if (failed !== undefined) throw new NoBrowserError(`the browser ${executable} does not start: ${reasonOf(failed)}`, { cause: failed });
    const { exitCode } = this.#child;
    if (this.#closing || exitCode === null || exitCode === 0 || performance.now() - beganMs > START_MS) return;
    throw new NoBrowserError(`the browser ${executable} has ended at once, with exit code ${exitCode}: ${lastLine(said)}`);
  }
}

function lastLine(said: string): string {
  const lines = said.split('\n').map((line) => line.trim());
  return (
    lines.findLast((line) => /error|display|cannot|failed/i.test(line)) ?? lines.findLast((line) => line !== '') ?? 'it has said nothing'
  );
}

/** Whether a window can be shown. */
export function hasDisplay(platform: string = process.platform, env: NodeJS.ProcessEnv = process.env): boolean {
  return platform !== 'linux' || [env.DISPLAY, env.WAYLAND_DISPLAY].some((name) => (name ?? '') !== '');
}
