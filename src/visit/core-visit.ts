/**
 * Pages without a browser: each is fetched, what it is seen to load is fetched, too, and its links are read off it.
 *
 * What scripts would load is missing. Style sheets are followed to what they load, frames as pages in the page.
 */
import { decoderOf } from '../page/charset.ts';
import { ACCEPT_ENCODING, redirectOf, type FetchedPage } from '../page/fetched.ts';
import { htmlLinks, isHtml, type LinkReader } from '../page/html.ts';
import { linksOf } from '../page/links.ts';
import { htmlResources } from '../page/resources.ts';
import { pageText } from '../page/text.ts';
import { reasonOf } from '../util/thrown.ts';
import { turns } from '../util/turns.ts';
import { isReadFault, withoutContentCoding } from '../warc/tools/body.ts';
import { MAX_LINKS, MAX_TEXT_CHARS, VisitError, type PageToVisit, type Visit, type VisitedPage, type VisitWishes } from './visit.ts';

/** As a core asks. */
export type Fetch = (
  url: string,
  init: { readonly headers: readonly (readonly [name: string, value: string])[]; readonly signal: AbortSignal },
) => Promise<FetchedPage>;

export interface CoreVisitParts {
  readonly fetch: Fetch;
  readonly userAgent: string | undefined;
  readonly wishes: VisitWishes;
}

const MAX_REDIRECTS = 20;
const RESOURCES_AT_ONCE = 6;
const MAX_RESOURCES = 5000;
/** A frame in a frame in a page. */
const MAX_FRAMES = 3;
const MAX_PARSED_CHARS = 16 * 1024 * 1024;
const MAX_CSS_CHARS = 2 * 1024 * 1024;
/** Of what was fetched for one page and need not be for the next: past it all is fetched again. */
const MAX_REMEMBERED = 100_000;

export function coreVisits(parts: CoreVisitParts): Visit {
  const fetched = new Set<string>();
  return (page, signal) => new CoreVisit(parts, fetched, page, signal).run();
}

class CoreVisit {
  readonly #parts: CoreVisitParts;
  readonly #fetched: Set<string>;
  readonly #page: PageToVisit;
  readonly #signal: AbortSignal;
  readonly #deadline: AbortSignal;
  readonly #turns = turns(RESOURCES_AT_ONCE);
  readonly #running = new Set<Promise<void>>();
  #resources = 0;

  constructor(parts: CoreVisitParts, fetched: Set<string>, page: PageToVisit, signal: AbortSignal) {
    this.#parts = parts;
    this.#fetched = fetched;
    this.#page = page;
    this.#deadline = AbortSignal.timeout(parts.wishes.timeoutMs);
    this.#signal = AbortSignal.any([signal, this.#deadline]);
  }

  async run(): Promise<VisitedPage> {
    const { text: withText } = this.#parts.wishes;
    const links: string[] = [];
    const answer = await this.#ask();
    const type = answer.header('content-type');
    const title = await pageText(withText ? MAX_TEXT_CHARS : 0);
    let broken: string | undefined;
    try {
      if (isHtml(type)) {
        let wantsText = true;
        const readText = {
          write: (piece: string) => {
            wantsText &&= title.write(piece);
          },
          end: () => title.end(),
        };
        await this.#read(answer, [await this.#resourcesOf(answer.url, 1), await this.#linksOf(answer.url, links), readText]);
      } else await drained(answer);
    } catch (error) {
      broken = reasonOf(error);
    }
    while (this.#running.size > 0) await Promise.all(this.#running);
    return {
      url: answer.url,
      status: answer.status,
      mime: type?.split(';', 1)[0]?.trim().toLowerCase(),
      title: title.title,
      text: withText ? title.text : '',
      links,
      cut: this.#deadline.aborted ? 'its time was over' : this.#signal.aborted ? 'it was interrupted' : broken,
      pictures: [],
    };
  }

  /** Behind redirects. */
  async #ask(): Promise<FetchedPage> {
    const { url, foundOn } = this.#page;
    let next = url;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      let answer: FetchedPage;
      try {
        answer = await this.#parts.fetch(next, { headers: this.#headers(foundOn, 'text/html,*/*;q=0.8'), signal: this.#signal });
      } catch (error) {
        throw new VisitError(this.#deadline.aborted ? 'no answer in time' : reasonOf(error), { cause: error });
      }
      const location = redirectOf(answer);
      if (location === undefined) return answer;
      await drained(answer).catch(() => undefined);
      next = location;
    }
    throw new VisitError(`more than ${MAX_REDIRECTS} redirects, one after the other`);
  }

  #headers(referer: string | undefined, accept: string): readonly (readonly [string, string])[] {
    const { userAgent } = this.#parts;
    return [
      ...(userAgent === undefined ? [] : [['User-Agent', userAgent] as const]),
      ['Accept', accept],
      ['Accept-Encoding', ACCEPT_ENCODING],
      ...(referer === undefined ? [] : [['Referer', referer] as const]),
    ];
  }

  #linksOf(base: string, links: string[]): Promise<LinkReader> {
    return htmlLinks(base, (link) => {
      if (links.length < MAX_LINKS) links.push(link);
    });
  }

  #resourcesOf(base: string, frames: number): Promise<LinkReader> {
    return htmlResources(base, (url, isFrame) => this.#want(url, base, isFrame ? frames : MAX_FRAMES));
  }

  /** @param frames how deep in frames it is; with the most it is no frame whose parts are wanted */
  #want(url: string, referer: string, frames: number): void {
    if (this.#fetched.has(url) || this.#resources >= MAX_RESOURCES || this.#signal.aborted) return;
    if (this.#fetched.size >= MAX_REMEMBERED) this.#fetched.clear();
    this.#fetched.add(url);
    this.#resources++;
    const done = this.#turns
      .run(() => this.#load(url, referer, frames))
      // A part that cannot be had is archived as a failure.
      .catch(() => undefined)
      .finally(() => this.#running.delete(done));
    this.#running.add(done);
  }

  async #load(url: string, referer: string, frames: number): Promise<void> {
    const answer = await this.#parts.fetch(url, { headers: this.#headers(referer, '*/*'), signal: this.#signal });
    const location = redirectOf(answer);
    const type = answer.header('content-type');
    if (location !== undefined) {
      this.#want(location, referer, frames);
      await drained(answer);
    } else if (/^\s*text\/css\b/i.test(type ?? '')) {
      await this.#read(answer, [await linksOf('css', answer.url, (each) => this.#want(each, answer.url, MAX_FRAMES))], MAX_CSS_CHARS);
    } else if (isHtml(type) && frames < MAX_FRAMES) await this.#read(answer, [await this.#resourcesOf(answer.url, frames + 1)]);
    else await drained(answer);
  }

  /** To its end, of which the beginning is given to the readers as text. @throws when it breaks off */
  async #read(answer: FetchedPage, readers: readonly LinkReader[], maxChars = MAX_PARSED_CHARS): Promise<void> {
    const codings = (answer.header('content-encoding') ?? '').split(',').map((each) => each.trim().toLowerCase());
    let decoder: InstanceType<typeof TextDecoder> | undefined;
    let chars = 0;
    try {
      for await (const piece of withoutContentCoding(
        codings.filter((each) => each !== ''),
        bodyOf(answer),
      )) {
        if (chars >= maxChars) continue;
        decoder ??= decoderOf(answer.header('content-type'), piece);
        const text = decoder.decode(piece, { stream: true });
        chars += text.length;
        for (const reader of readers) reader.write(text);
      }
    } catch (error) {
      // What cannot be unpacked was archived as it came.
      if (!isReadFault(error)) throw error;
    } finally {
      for (const reader of readers) reader.end();
    }
  }
}

async function* bodyOf(answer: FetchedPage): AsyncGenerator<Buffer, void> {
  yield* answer.body;
}

async function drained(answer: FetchedPage): Promise<void> {
  const pieces = answer.body[Symbol.asyncIterator]();
  while ((await pieces.next()).done !== true);
}
