/**
 * Requests to sites, one road for all of them: pages, robots.txt, logins. Each waits for its turn at its host and for a place among the
 * downloads of all jobs, goes through the core, and is cut off when its time is over or its job stops.
 */
import type { Upstream } from '../../fetch/upstream.ts';
import type { FetchedPage } from '../../page/fetched.ts';
import { hostOf } from './frontier.ts';
import type { HostTurns, Turn } from './host-turns.ts';
import { inLine } from '../../util/in-line.ts';

/** A written record, as the core tells of it. */
export interface Written {
  readonly id: string;
  readonly type: string;
  /** below the folder of WARC files, without `.open` */
  readonly path: string;
  readonly filename: string;
  readonly offset: number;
}

/** What has become of an answer in the archive. */
export interface ArchivedAnswer {
  /** false: something has decided that it is not written */
  readonly archive: boolean;
  readonly records?: readonly Written[] | undefined;
  readonly duplicateOf?: { readonly recordId: string } | undefined;
}

export interface SitePage extends Omit<FetchedPage, 'cancel'> {
  readonly archived: Promise<ArchivedAnswer>;
  cancel(reason?: unknown): void;
  /** Whoever has asked for it to be held has done with it. */
  release(): void;
}

export interface SiteRequest {
  readonly method?: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
  readonly meta: object;
  readonly upstream?: Upstream;
  readonly afresh?: boolean;
  readonly signal: AbortSignal;
  readonly cutsOff: true;
}

/** The core's. @throws FetchError, RefusedError, MessageError */
export type FetchSite = (url: string, request: SiteRequest) => Promise<Omit<SitePage, 'release'>>;

/** Of an answer that took too long. */
export class TimedOutError extends Error {
  override readonly name = 'TimedOutError';
}

/** One who asks: a job that runs. */
export interface Asker {
  readonly meta: object;
  readonly signal: AbortSignal;
  /** requests of his that run */
  readonly downloads: { current: number };
}

export interface Asked {
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly method?: string;
  readonly body?: string;
  readonly upstream: Upstream | undefined;
  /** its host is tried again, however lately it has failed */
  readonly afresh?: boolean;
  /** taken already */
  readonly turn?: Turn | undefined;
  /** the request is not at its end with the body, but when the page is released */
  readonly held?: boolean;
  /** called when it is sent */
  readonly onStart?: () => void;
  /** of the turn after the request, in milliseconds, looked at when it ends */
  readonly pauseMs?: () => number;
}

export interface RequestsParts {
  readonly fetch: FetchSite;
  readonly turns: HostTurns;
  readonly maxDownloads: number;
  readonly timeoutMs: number;
  /** a place is free again */
  readonly onFree: () => void;
}

export class Requests {
  readonly #parts: RequestsParts;
  readonly #waiting: (() => void)[] = [];
  #current = 0;

  constructor(parts: RequestsParts) {
    this.#parts = parts;
  }

  get current(): number {
    return this.#current;
  }

  /** Nobody waits, and one more may run. */
  get free(): boolean {
    return this.#waiting.length === 0 && this.#current < this.#parts.maxDownloads;
  }

  /**
   * Resolves with the head of the answer. Its body has to be read or cancelled: only then the next one may ask that host.
   *
   * @throws TimedOutError; the reason of the asker's signal; what the core throws. So does the body
   */
  async open(
    asker: Asker,
    url: string,
    { turn, upstream, afresh = false, held = false, onStart, pauseMs, method, body, headers }: Asked,
  ): Promise<SitePage> {
    const { fetch, turns, timeoutMs } = this.#parts;
    const own = turn ?? (await turns.turn(hostOf(url), asker.signal));
    await this.#place(asker, own);
    const stop = new AbortController();
    const onStop = () => stop.abort(asker.signal.reason);
    const timer = setTimeout(() => stop.abort(new TimedOutError(`no whole answer within ${timeoutMs / 1000} s`)), timeoutMs);
    asker.signal.addEventListener('abort', onStop, { once: true });
    if (asker.signal.aborted) onStop();
    let over = false;
    const end = () => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      asker.signal.removeEventListener('abort', onStop);
      asker.downloads.current--;
      this.#leave();
      own.end(pauseMs?.());
    };
    onStart?.();
    try {
      const page = await fetch(url, {
        headers,
        meta: asker.meta,
        afresh,
        signal: stop.signal,
        cutsOff: true,
        ...(method === undefined ? {} : { method }),
        ...(body === undefined ? {} : { body }),
        ...(upstream === undefined ? {} : { upstream }),
      });
      const cut = () => {
        page.cancel(stop.signal.reason);
        end();
      };
      stop.signal.addEventListener('abort', cut, { once: true });
      if (stop.signal.aborted) cut();
      return {
        ...{ url: page.url, status: page.status, reason: page.reason, headers: page.headers, archived: page.archived },
        header: (name) => page.header(name),
        // What is done with it then takes its place, and no time of the request.
        body: ended(page.body, held ? () => clearTimeout(timer) : end),
        release: end,
        cancel: (reason) => {
          page.cancel(reason);
          end();
        },
      };
    } catch (error) {
      end();
      throw error;
    }
  }

  async #place(asker: Asker, turn: Turn): Promise<void> {
    if (this.free) this.#current++;
    else {
      await inLine({ line: this.#waiting, signal: asker.signal, go: () => undefined, left: () => turn.giveBack() });
    }
    asker.downloads.current++;
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) return next();
    this.#current--;
    this.#parts.onFree();
  }
}

async function* ended(body: AsyncIterable<Buffer>, end: () => void): AsyncGenerator<Buffer, void> {
  try {
    yield* body;
  } finally {
    end();
  }
}
