/**
 * What is run in a page after it has loaded, as text: it goes down the page as a reader would, and then says what is there.
 *
 * Runs in a world of its own, where what the page's scripts have made of the objects of the DOM does not matter.
 * Source: HTML Standard §2.5.7 (lazy loading), CSS Font Loading §2 (load()), CSSOM §6 (rules of style sheets).
 */
import { MAX_LINKS, MAX_TEXT_CHARS } from './visit.ts';

/** What `lookScript` gives. */
export interface Looked {
  readonly title: string;
  readonly text: string;
  readonly mime: string;
  readonly links: readonly string[];
  /** what another screen, or a click, would have loaded, and media: absolute URLs */
  readonly resources: readonly string[];
  readonly height: number;
}

const MAX_RESOURCES = 2000;

/**
 * Pictures that wait to be seen are loaded, fonts that are declared, media are played without sound; and down to the end, as long as the
 * page grows and there is time. Back at the top in the end.
 *
 * @returns an expression whose promise is fulfilled when it is done
 */
export function scrollScript(timeMs: number): string {
  return `(async () => {
  const end = performance.now() + ${timeMs};
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const wake = () => {
    for (const each of document.querySelectorAll('img[loading=lazy], iframe[loading=lazy]')) each.loading = 'eager';
    for (const media of document.querySelectorAll('video, audio')) {
      media.muted = true;
      media.preload = 'auto';
      if (media.paused) media.play().catch(() => {});
    }
    for (const face of document.fonts) if (face.status === 'unloaded') face.load().catch(() => {});
  };
  const scrolls = (each) => each.scrollHeight > each.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(each).overflowY);
  const root = document.scrollingElement ?? document.documentElement;
  let pane = root;
  if (root.scrollHeight <= innerHeight + 1) {
    let largest = innerWidth * innerHeight / 4;
    for (const each of [...document.querySelectorAll('main, div, section, article, body')].slice(0, 5000)) {
      const size = each.clientWidth * each.clientHeight;
      if (size > largest && scrolls(each)) { pane = each; largest = size; }
    }
  }
  wake();
  const step = Math.max(Math.floor((pane === root ? innerHeight : pane.clientHeight) * 0.8), 100);
  let still = 0;
  for (let before = -1; performance.now() < end && still < 6; before = pane.scrollHeight) {
    const at = pane.scrollTop;
    pane.scrollBy({ top: step, behavior: 'instant' });
    await pause(100);
    wake();
    still = pane.scrollTop === at && pane.scrollHeight === before ? still + 1 : 0;
  }
  pane.scrollTo({ top: 0, behavior: 'instant' });
})()`;
}

/** What is there now. @returns an expression with a value of `Looked` */
export function lookScript(withText: boolean): string {
  return `(() => {
  const links = [], resources = new Set();
  const absolute = (url, base) => { try { return new URL(url, base ?? document.baseURI).href; } catch { return undefined; } };
  const want = (url, base) => {
    const found = url ? absolute(url, base) : undefined;
    if (found && /^https?:/.test(found) && resources.size < ${MAX_RESOURCES}) resources.add(found.replace(/#.*$/, ''));
  };
  const wantSet = (set) => {
    for (const [, url] of (set ?? '').matchAll(/[\\s,]*(\\S*[^\\s,])(?:\\s+[^,]*)?(?:,|$)/g)) want(url);
  };
  const rules = (list, base) => {
    for (const rule of list) {
      if (rule.styleSheet) sheet(rule.styleSheet);
      if (rule.cssRules) rules(rule.cssRules, base);
      if (rule.style || rule.type === 5)
        for (const [, , url] of rule.cssText.matchAll(/url\\((["']?)(.*?)\\1\\)/g)) want(url, base);
    }
  };
  const sheet = (each) => {
    // Of another origin it is not to be read here.
    try { rules(each.cssRules, each.href ?? undefined); } catch {}
  };
  const visit = (root) => {
    for (const each of root.querySelectorAll('*')) {
      const name = each.localName;
      if ((name === 'a' || name === 'area') && each.href && links.length < ${MAX_LINKS}) links.push(String(each.href.baseVal ?? each.href));
      if (name === 'img' || name === 'source' || name === 'video' || name === 'audio' || name === 'track') {
        if (name !== 'img') want(each.getAttribute('src'));
        wantSet(each.getAttribute('srcset'));
        want(each.getAttribute('data-src'));
        wantSet(each.getAttribute('data-srcset'));
        want(each.getAttribute('poster'));
      }
      if (name === 'link' && /\\b(?:icon|apple-touch-icon|manifest|mask-icon)\\b/i.test(each.rel)) want(each.getAttribute('href'));
      if (each.shadowRoot) visit(each.shadowRoot);
    }
    for (const each of root.styleSheets ?? []) sheet(each);
  };
  visit(document);
  return {
    title: document.title,
    text: ${withText ? `(document.body?.innerText ?? '').slice(0, ${MAX_TEXT_CHARS})` : "''"},
    mime: document.contentType,
    links: links.map((link) => absolute(link)).filter((link) => link !== undefined),
    resources: [...resources],
    height: document.documentElement.scrollHeight,
  };
})()`;
}
