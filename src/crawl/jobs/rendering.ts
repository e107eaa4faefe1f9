/**
 * The pages of a job in the browser: what they load is archived on the way, and the links of what they have become are found.
 */
import { isHtml } from '../../page/html.ts';
import { linksOf } from '../../page/links.ts';
import type { Log } from '../../util/log.ts';
import { MAX_KEPT_BYTES, MAX_PARSED_BYTES, type ReadBody } from './body.ts';
import type { JobCookies } from './cookies.ts';
import type { JobLog } from './job-log.ts';
import { NoBrowserError } from '../../browser/errors.ts';
import type { Rendered, Render } from './render.ts';
import type { Asker, SitePage } from './requests.ts';
import type { Rules } from './rules.ts';

export interface RenderingParts {
  readonly render: Render;
  readonly rules: Rules;
  readonly cookies: JobCookies;
  readonly jobLog: JobLog;
  readonly log: Log;
}

export class Rendering {
  readonly #parts: RenderingParts;
  /** there is no browser, as the log has been told */
  #off = false;

  constructor(parts: RenderingParts) {
    this.#parts = parts;
  }

  /** Bytes of a body that have to be kept for it. */
  get keptBytes(): number {
    return this.#off ? MAX_KEPT_BYTES : MAX_PARSED_BYTES;
  }

  /**
   * Load a page that was read, if it is one for a browser.
   *
   * @param url where redirects have ended
   * @param add given each link of the document as it is in the end
   * @throws RenderError; the reason of the asker's signal
   */
  async page(page: SitePage, url: string, { kept }: ReadBody, userAgent: string, asker: Asker, add: (url: string) => void): Promise<void> {
    const { render, rules, cookies, jobLog, log } = this.#parts;
    if (this.#off || page.status < 200 || page.status > 299 || !isHtml(page.header('content-type'))) return;
    if (kept === undefined) return jobLog.add('render', url, `more than ${MAX_PARSED_BYTES} bytes`);
    const { meta, signal } = asker;
    const { status, headers } = page;
    const [cookie, proxyFor] = [await cookies.of(url), (asked: string) => rules.proxyFor(asked)];
    let rendered: Rendered;
    try {
      rendered = await render({ url, status, headers, body: kept, userAgent, cookie, meta, proxyFor, signal });
    } catch (error) {
      if (!(error instanceof NoBrowserError)) throw error;
      this.#off = true;
      log.warn({ err: error }, `pages are not rendered: ${error.message}`);
      return jobLog.add('render', url, error.message);
    }
    const { html, left, complete } = rendered;
    if (!complete) jobLog.add('render', url, 'not all was loaded in time');
    if (html === undefined) jobLog.add('render', url, 'it did not come to rest: its scripts run without end');
    await cookies.take(
      url,
      rendered.cookies.map((value) => ['set-cookie', value]),
    );
    const reader = await linksOf('html', rendered.url, add);
    reader.write(html ?? '');
    reader.end();
    for (const link of left) add(link);
  }
}
