/**
 * Pages in a browser: each in a profile of its own, behind a proxy of its own, for a bounded time, and a bounded number of them at once.
 *
 * ```
 * fetched page ─► way (proxy) ◄─ the page itself, as it was fetched ─ browser
 *                     └─► core ─► origin, WARC    what it loads
 * ```
 */
import type { Browser as Playwright, BrowserContext, Page } from 'playwright-core';
import { NoBrowserError } from '../../browser/errors.ts';
import { Browser, firstLine } from '../../browser/headless.ts';
import { inLine } from '../../util/in-line.ts';
import { RenderError, type PageToRender, type Render, type Rendered } from '../jobs/render.ts';

/** The proxy of one page. */
export interface Way extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
}

export interface RendererParts {
  /** undefined: that of the machine */
  readonly executable: string | undefined;
  /** pages at once */
  readonly maxPages: number;
  /** for a page and all that it loads */
  readonly timeoutMs: number;
  /** a proxy that answers for the page itself and fetches the rest */
  readonly openWay: (page: PageToRender) => Promise<Way>;
}

/** To look at a page, and to end it. */
const MOMENT_MS = 5000;
const MAX_HTML_CHARS = 10 * 1024 * 1024;
/** Where scripts wanted to go, of one page. */
const MAX_LEFT = 100;
/** Once more after a crash: it may have been the fault of another page. */
const TRIES = 2;

export class Renderer {
  readonly #parts: RendererParts;
  readonly #browser: Browser;
  readonly #waiting: (() => void)[] = [];
  #current = 0;

  constructor(parts: RendererParts) {
    this.#parts = parts;
    this.#browser = new Browser({ executable: parts.executable });
  }

  readonly render: Render = async (page) => {
    const { signal } = page;
    signal.throwIfAborted();
    if (this.#current < this.#parts.maxPages) this.#current++;
    else await inLine({ line: this.#waiting, signal, go: () => undefined, left: () => undefined });
    try {
      for (let tries = 1; ; tries++) {
        try {
          return await this.#browser.use((browser) => this.#render(browser, page));
        } catch (error) {
          signal.throwIfAborted();
          if (error instanceof NoBrowserError) throw error;
          if (tries === TRIES) throw new RenderError(firstLine(error), { cause: error });
        }
      }
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#current--;
      else next();
    }
  };

  close(): Promise<void> {
    return this.#browser.close();
  }

  async #render(browser: Playwright, asked: PageToRender): Promise<Rendered> {
    await using way = await this.#parts.openWay(asked);
    const context = await browser.newContext({
      proxy: { server: way.url },
      userAgent: asked.userAgent,
      // Its certificates are the proxy's, and what the proxy makes of those of origins is for the proxy.
      ignoreHTTPSErrors: true,
      serviceWorkers: 'block',
      acceptDownloads: false,
    });
    const stop = () => void this.#end(context);
    asked.signal.addEventListener('abort', stop, { once: true });
    try {
      return await look(context, asked, this.#parts.timeoutMs);
    } finally {
      asked.signal.removeEventListener('abort', stop);
      await this.#end(context);
    }
  }

  /** One that does not end takes the browser with it. */
  async #end(context: BrowserContext): Promise<void> {
    const closed = context.close().then(
      () => true,
      () => true,
    );
    if (!(await within(MOMENT_MS, closed))) await this.#browser.kill();
  }
}

async function look(context: BrowserContext, { url, cookie }: PageToRender, timeoutMs: number): Promise<Rendered> {
  const left = new Set<string>();
  await context.addCookies(cookiesOf(url, cookie));
  const page = await context.newPage();
  context.on('page', (another) => void another.close().catch(() => undefined));
  const crashed = new Promise<never>((_, reject) => page.once('crash', () => reject(new RenderError('the page has crashed'))));
  crashed.catch(() => undefined);
  let begun = false;
  // It stays where it is: another document would be another page, which has to be asked for in its turn.
  await page.route('**', async (route) => {
    const request = route.request();
    const leaves = begun && request.isNavigationRequest() && request.frame() === page.mainFrame();
    if (request.isNavigationRequest()) begun = true;
    if (leaves && left.size < MAX_LEFT) left.add(request.url());
    await (leaves ? route.abort('aborted') : route.continue()).catch(() => undefined);
  });
  const complete = await Promise.race([crashed, load(page, url, timeoutMs)]);
  const html = await Promise.race([crashed, within(Math.min(MOMENT_MS, timeoutMs), htmlOf(context, page))]);
  return { url: page.url(), html, left: [...left], cookies: await setCookiesOf(context, url), complete };
}

/** @returns false when the time was over before @throws when it could not be loaded at all */
async function load(page: Page, url: string, timeoutMs: number): Promise<boolean> {
  try {
    const loaded = page
      .goto(url, { waitUntil: 'load', timeout: timeoutMs })
      .then(() => page.waitForLoadState('networkidle', { timeout: 0 }));
    return (
      (await within(
        timeoutMs,
        loaded.then(() => true),
      )) ?? false
    );
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError') return false;
    // What is to be saved and not shown, or wants to be elsewhere before it is there.
    if (/Download is starting|net::ERR_ABORTED/.test(firstLine(error))) return true;
    throw error;
  }
}

/** In a world of our own: what the page's scripts have made of the objects of the DOM does not matter there. */
async function htmlOf(context: BrowserContext, page: Page): Promise<string> {
  const session = await context.newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id });
  const expression = `document.documentElement?.outerHTML.slice(0, ${MAX_HTML_CHARS}) ?? ''`;
  const { result } = await session.send('Runtime.evaluate', { expression, contextId, returnByValue: true, timeout: MOMENT_MS });
  return typeof result.value === 'string' ? result.value : '';
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

function cookiesOf(url: string, cookie = ''): { name: string; value: string; url: string }[] {
  return cookie
    .split('; ')
    .filter((pair) => /^[^=\s]+=/.test(pair))
    .map((pair) => {
      const at = pair.indexOf('=');
      return { name: pair.slice(0, at), value: pair.slice(at + 1), url };
    });
}

async function setCookiesOf(context: BrowserContext, url: string): Promise<string[]> {
  const host = new URL(url).hostname;
  return (await context.cookies(url)).map(({ name, value, domain, path, expires, secure, httpOnly }) =>
    [
      `${name}=${value}`,
      `Path=${path}`,
      // A leading dot is how a browser says that it counts for what is below, too.
      ...(domain.startsWith('.') && domain.slice(1) !== host ? [`Domain=${domain.slice(1)}`] : []),
      ...(expires > 0 ? [`Expires=${new Date(expires * 1000).toUTCString()}`] : []),
      ...(secure ? ['Secure'] : []),
      ...(httpOnly ? ['HttpOnly'] : []),
    ].join('; '),
  );
}
