/**
 * Pages in one headless browser, behind a proxy: with one cookie jar and one cache, as a person would visit them one after the other.
 *
 * What the browser cannot show (a download) is fetched by the core instead.
 */
import type { Browser as Playwright, BrowserContext } from 'playwright-core';
import { NoBrowserError } from '../browser/errors.ts';
import { Browser, firstLine } from '../browser/headless.ts';
import { trustSwitch } from '../browser/switches.ts';
import { DownloadError, visitInBrowser } from './browser-page.ts';
import { VisitError, type Visit, type VisitWishes } from './visit.ts';

export interface BrowserVisitParts {
  readonly executable: string;
  readonly proxyUrl: string;
  /** of the key of the proxy's certificates, Base64 */
  readonly spkiSha256: string;
  readonly userAgent: string | undefined;
  /** such as `de-DE` */
  readonly language: string | undefined;
  readonly wishes: VisitWishes;
  /** for what is no page */
  readonly fetchFile: Visit;
}

const VIEWPORT = { width: 1280, height: 900 };
/** Once more after a crash: it may have been the fault of another page. */
const TRIES = 2;

export class BrowserVisits {
  readonly #parts: BrowserVisitParts;
  readonly #browser: Browser;
  readonly #contexts = new WeakMap<Playwright, Promise<BrowserContext>>();

  constructor(parts: BrowserVisitParts) {
    this.#parts = parts;
    this.#browser = new Browser({ executable: parts.executable, cache: true, switches: [trustSwitch(parts.spkiSha256)] });
  }

  /** That the browser starts. @throws NoBrowserError */
  async start(): Promise<void> {
    await this.#browser.use((browser) => this.#context(browser));
  }

  readonly visit: Visit = async (page, signal) => {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#browser.use(async (browser) => {
          const context = await this.#context(browser);
          return visitInBrowser({ context, url: page.url, referer: page.foundOn, wishes: this.#parts.wishes, signal });
        });
      } catch (error) {
        if (error instanceof DownloadError) return this.#parts.fetchFile(page, signal);
        if (error instanceof VisitError || error instanceof NoBrowserError) throw error;
        if (tries === TRIES || signal.aborted) throw new VisitError(firstLine(error), { cause: error });
      }
    }
  };

  close(): Promise<void> {
    return this.#browser.close();
  }

  #context(browser: Playwright): Promise<BrowserContext> {
    const known = this.#contexts.get(browser);
    if (known !== undefined) return known;
    const opened = this.#open(browser);
    this.#contexts.set(browser, opened);
    return opened;
  }

  async #open(browser: Playwright): Promise<BrowserContext> {
    const { proxyUrl, language, userAgent = await ordinaryAgent(browser) } = this.#parts;
    const context = await browser.newContext({
      proxy: { server: proxyUrl },
      userAgent,
      viewport: VIEWPORT,
      // A page that answers from its own store would be missing in the archive.
      serviceWorkers: 'block',
      acceptDownloads: false,
      ...(language === undefined ? {} : { locale: language }),
    });
    // Windows that pages open by themselves.
    context.on('page', (page) => {
      void page.opener().then(
        (opener) => (opener === null ? undefined : page.close()),
        () => undefined,
      );
    });
    return context;
  }
}

/** Many sites turn away who says that nobody looks. */
async function ordinaryAgent(browser: Playwright): Promise<string> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    return String(await page.evaluate('navigator.userAgent')).replace('HeadlessChrome', 'Chrome');
  } finally {
    await context.close();
  }
}
