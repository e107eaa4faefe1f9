/**
 * One page in the browser: loaded, gone down, looked at, and what other screens would have loaded fetched behind it.
 *
 * Owns the page and ends it. Whatever the page does, it ends in its time.
 */
import type { BrowserContext, CDPSession, Page, Request, Response } from 'playwright-core';
import { firstLine } from '../browser/headless.ts';
import { turns } from '../util/turns.ts';
import { lookScript, scrollScript, type Looked } from './page-script.ts';
import { VisitError, type Picture, type VisitedPage, type VisitWishes } from './visit.ts';

/** For what should take no time: to look at a page, to end it. */
const MOMENT_MS = 5000;
/** A page is at rest when nothing was loading for so long; one that never is has this long. */
const QUIET_MS = 500;
const REST_MS = 10_000;
/** Of the time that is left, what it may be gone down. */
const SCROLL_SHARE = 0.6;
const RESOURCES_AT_ONCE = 6;
/** Chromium paints no more. */
const MAX_PICTURE_PX = 16_384;

/** What is no page but is to be saved: its request was ended by the browser, and is to be made again by another. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError';
}

export interface BrowserPageParts {
  readonly context: BrowserContext;
  readonly url: string;
  readonly referer: string | undefined;
  readonly wishes: VisitWishes;
  readonly signal: AbortSignal;
}

/** @throws VisitError, DownloadError */
export async function visitInBrowser(parts: BrowserPageParts): Promise<VisitedPage> {
  const page = await parts.context.newPage();
  try {
    return await new BrowserPage(page, parts).run();
  } finally {
    await within(
      MOMENT_MS,
      page.close().catch(() => undefined),
    );
  }
}

class BrowserPage {
  readonly #page: Page;
  readonly #parts: BrowserPageParts;
  readonly #deadlineMs: number;
  /** fulfilled when there is no more to wait for, with why */
  readonly #over: Promise<string>;
  readonly #timer: NodeJS.Timeout;
  #overBecause: string | undefined;
  /** whole, so that it need not be fetched again */
  readonly #loaded = new Set<string>();
  readonly #loading = new Set<Request>();
  #onLoading: () => void = () => undefined;

  constructor(page: Page, parts: BrowserPageParts) {
    this.#page = page;
    this.#parts = parts;
    const { timeoutMs } = parts.wishes;
    this.#deadlineMs = performance.now() + timeoutMs;
    let end: (why: string) => void = () => undefined;
    this.#over = new Promise((resolve) => {
      end = (why) => {
        this.#overBecause ??= why;
        resolve(why);
      };
    });
    this.#timer = setTimeout(() => end('its time was over'), timeoutMs);
    parts.signal.addEventListener('abort', () => end('it was interrupted'), { once: true });
    if (parts.signal.aborted) end('it was interrupted');
    page.once('crash', () => end('the page has crashed'));
    page.on('request', (request) => {
      this.#loading.add(request);
      this.#onLoading();
    });
    page.on('requestfinished', (request) => void this.#note(request));
    const done = (request: Request) => {
      this.#loading.delete(request);
      this.#onLoading();
    };
    page.on('requestfinished', done).on('requestfailed', done);
  }

  async run(): Promise<VisitedPage> {
    try {
      const response = await this.#load();
      await this.#unlessOver(this.#rest());
      const pictures = await this.#pictures('view');
      await this.#goDown();
      const looked = await this.#look();
      await this.#fetchOthers(looked?.resources ?? []);
      if (looked !== undefined && this.#overBecause === undefined) pictures.push(...(await this.#pictures('fullPage', looked.height)));
      const { title = '', text = '', links = [], mime } = looked ?? {};
      const url = this.#page.url();
      return { url, status: response?.status(), mime: mime ?? mimeOf(response), title, text, links, cut: this.#overBecause, pictures };
    } finally {
      clearTimeout(this.#timer);
    }
  }

  /** @returns undefined where the time was over before there was an answer that could be shown */
  async #load(): Promise<Response | undefined> {
    const { url, referer } = this.#parts;
    let answer: Response | undefined;
    const onResponse = (response: Response) => {
      const request = response.request();
      if (request.isNavigationRequest() && request.frame() === this.#page.mainFrame()) answer = response;
    };
    this.#page.on('response', onResponse);
    try {
      const going = this.#page.goto(url, { waitUntil: 'load', timeout: 0, ...(referer === undefined ? {} : { referer }) });
      const loaded = await this.#unlessOver(going);
      if (loaded === undefined && answer === undefined) throw new VisitError(`no answer: ${this.#overBecause ?? 'nothing was loaded'}`);
      return loaded ?? answer;
    } catch (error) {
      const reason = firstLine(error);
      if (reason.includes('Download is starting') || (answer !== undefined && reason.includes('ERR_ABORTED')))
        throw new DownloadError(reason, { cause: error });
      // 204, or one that goes elsewhere before it is there.
      if (answer !== undefined) return answer;
      throw error instanceof VisitError ? error : new VisitError(withoutCall(reason), { cause: error });
    } finally {
      this.#page.off('response', onResponse);
    }
  }

  async #goDown(): Promise<void> {
    const timeMs = Math.floor((this.#deadlineMs - performance.now()) * SCROLL_SHARE);
    if (timeMs <= 0 || this.#overBecause !== undefined) return;
    await this.#unlessOver(this.#evaluate(scrollScript(timeMs), timeMs + MOMENT_MS).catch(() => undefined));
    await this.#unlessOver(this.#rest());
  }

  /** Also of a page whose time is over: what there is. Once more where it has just gone elsewhere. */
  async #look(): Promise<Looked | undefined> {
    for (let tries = 0; tries < 2; tries++) {
      try {
        const looked = await this.#evaluate(lookScript(this.#parts.wishes.text), MOMENT_MS);
        if (looked !== undefined) return looked as Looked;
      } catch {
        // Its document has gone; or it hangs, and gives nothing the second time either.
      }
    }
    return undefined;
  }

  async #pictures(kind: Picture['kind'], height = 0): Promise<Picture[]> {
    if (!this.#parts.wishes.screenshot) return [];
    const width = this.#page.viewportSize()?.width ?? 0;
    const whole = { fullPage: true, clip: { x: 0, y: 0, width, height: Math.min(Math.max(height, 1), MAX_PICTURE_PX) } };
    const png = await this.#unlessOver(this.#page.screenshot(kind === 'view' ? {} : whole).catch(() => undefined));
    return png === undefined ? [] : [{ kind, png }];
  }

  /** By the browser, with the page's cookies. */
  async #fetchOthers(urls: readonly string[]): Promise<void> {
    const missing = urls.filter((url) => !this.#loaded.has(url));
    if (missing.length === 0 || this.#overBecause !== undefined) return;
    const session = await this.#session();
    const { frameTree } = await session.send('Page.getFrameTree');
    const inTurn = turns(RESOURCES_AT_ONCE);
    const fetchOne = async (url: string) => {
      if (this.#overBecause !== undefined) return;
      const options = { disableCache: false, includeCredentials: true };
      const { resource } = await session.send('Network.loadNetworkResource', { frameId: frameTree.frame.id, url, options });
      if (resource.stream !== undefined) await session.send('IO.close', { handle: resource.stream });
    };
    // One that cannot be had is archived as a failure.
    await this.#unlessOver(Promise.all(missing.map((url) => inTurn.run(() => fetchOne(url)).catch(() => undefined))));
  }

  /** Until nothing was loading for a while. */
  #rest(): Promise<void> {
    return new Promise((resolve) => {
      let quiet: NodeJS.Timeout | undefined;
      const done = () => {
        clearTimeout(quiet);
        clearTimeout(longest);
        this.#onLoading = () => undefined;
        resolve();
      };
      const longest = setTimeout(done, REST_MS);
      this.#onLoading = () => {
        clearTimeout(quiet);
        if (this.#loading.size === 0) quiet = setTimeout(done, QUIET_MS);
      };
      this.#onLoading();
      void this.#over.then(done);
    });
  }

  async #note(request: Request): Promise<void> {
    const response = await request.response().catch(() => null);
    // Of media the player asks for parts.
    if (response !== null && response.status() !== 206) this.#loaded.add(request.url().replace(/#.*$/, ''));
  }

  #session(): Promise<CDPSession> {
    return this.#parts.context.newCDPSession(this.#page);
  }

  /** In a world of our own. @returns undefined when it takes too long */
  async #evaluate(expression: string, timeMs: number): Promise<unknown> {
    const asked = async () => {
      const session = await this.#session();
      try {
        const { frameTree } = await session.send('Page.getFrameTree');
        const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id });
        const { result } = await session.send('Runtime.evaluate', { expression, contextId, returnByValue: true, awaitPromise: true });
        return result.value as unknown;
      } finally {
        session.detach().catch(() => undefined);
      }
    };
    return within(timeMs, asked());
  }

  /** @returns undefined when it is over before */
  async #unlessOver<T>(work: Promise<T>): Promise<T | undefined> {
    work.catch(() => undefined);
    const over = this.#over.then(() => undefined);
    return this.#overBecause === undefined ? Promise.race([work, over]) : undefined;
  }
}

/** @returns undefined when the time is over */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), ms)));
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function mimeOf(response: Response | undefined): string | undefined {
  return response?.headers()['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
}

/** `page.goto: net::ERR_FAILED at https://…` is told by who visits. */
function withoutCall(reason: string): string {
  return reason.replace(/^page\.goto: /, '').replace(/ at https?:.*$/, '');
}
