/**
 * A headless browser that is started when it is needed, restarted when it has crashed, and ended when nobody has needed it for a while.
 *
 * Owns its process, by playwright-core, which is loaded when it is first needed. Never shown.
 */
import type { Browser as Playwright } from 'playwright-core';
import { reasonOf } from '../util/thrown.ts';
import { NoBrowserError } from './errors.ts';
import { findBrowser } from './find.ts';
import { HEADLESS_SWITCHES, isRoot } from './switches.ts';

const IDLE_MS = 30_000;

/** What is in it would be answered from there, and be missing in the archive of a job. */
const NO_CACHE = '--disk-cache-size=1';

export interface BrowserParts {
  /** undefined: that of the machine */
  readonly executable: string | undefined;
  /** keeps what it has loaded, for pages of the same archive */
  readonly cache?: boolean;
  /** further ones */
  readonly switches?: readonly string[];
}

export class Browser {
  readonly #parts: BrowserParts;
  #started: Promise<Playwright> | undefined;
  #users = 0;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(parts: BrowserParts) {
    this.#parts = parts;
  }

  /** @throws NoBrowserError; what `use` throws */
  async use<T>(use: (browser: Playwright) => Promise<T>): Promise<T> {
    clearTimeout(this.#idle);
    this.#users++;
    try {
      return await use(await this.#running());
    } finally {
      if (--this.#users === 0 && !this.#closed) this.#idle = setTimeout(() => void this.kill(), IDLE_MS).unref();
    }
  }

  /** Whatever is open in it ends, too. */
  async kill(): Promise<void> {
    const started = this.#started;
    this.#started = undefined;
    await (await started?.catch(() => undefined))?.close().catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idle);
    await this.kill();
  }

  #running(): Promise<Playwright> {
    if (this.#closed) return Promise.reject(new NoBrowserError('the browser was ended'));
    const started = (this.#started ??= this.#start());
    const forget = () => {
      if (this.#started === started) this.#started = undefined;
    };
    started.then((browser) => browser.once('disconnected', forget), forget);
    return started;
  }

  async #start(): Promise<Playwright> {
    const executablePath = this.#parts.executable ?? (await findBrowser());
    if (executablePath === undefined)
      throw new NoBrowserError('there is no Chromium, Chrome or Edge here: install one, or name it with --browser');
    const { chromium } = await library();
    const { cache = false, switches = [] } = this.#parts;
    const args = [...HEADLESS_SWITCHES, ...switches, ...(cache ? [] : [NO_CACHE])];
    const unhandled = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
    try {
      return await chromium.launch({ executablePath, headless: true, chromiumSandbox: !isRoot, args, ...unhandled });
    } catch (error) {
      throw new NoBrowserError(`the browser ${executablePath} does not start: ${firstLine(error)}`, { cause: error });
    }
  }
}

/** Asked for when it is needed, as most have no need of it. @throws NoBrowserError */
export async function library(): Promise<typeof import('playwright-core')> {
  try {
    return await import('playwright-core');
  } catch (error) {
    throw new NoBrowserError('the package playwright-core is not there: npm install playwright-core', { cause: error });
  }
}

export function firstLine(error: unknown): string {
  return reasonOf(error).split('\n', 1)[0] ?? '';
}
