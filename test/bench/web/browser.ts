/**
 * A browser that loads pages: the document, then everything else of the page, over as many connections as browsers open through a proxy.
 */
import { request, STALE, type Exchange, type Target } from '../client.ts';
import type { Load } from '../load.ts';
import { resourcesOf, type Resource } from './page.ts';

/** Chromium's bounds for HTTP/1.1: to a host, and through a proxy. */
const PER_HOST = 6;
const PER_PROXY = 32;

const FIELDS = [
  'Connection: keep-alive',
  'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24"',
  'sec-ch-ua-mobile: ?0',
  'sec-ch-ua-platform: "Linux"',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'Accept: */*',
  'Sec-Fetch-Site: cross-site',
  'Sec-Fetch-Mode: no-cors',
  'Sec-Fetch-Dest: script',
  'Referer: https://h1.localhost/',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-US,en;q=0.9',
  'Cookie: session=6f1d3c0a9b8e4d72; consent=all; visitor=GA1.1.1408201337.1767225600',
].join('\r\n');

export interface Told {
  readonly answered: (bytes: number) => void;
  readonly connected: () => void;
  readonly failed: (error: string) => void;
}

interface Host {
  readonly idle: Exchange[];
  open: number;
}

export class Browser {
  readonly #load: Load;
  readonly #told: Told;
  readonly #hosts = new Map<string, Host>();
  #open = 0;

  constructor(load: Load, told: Told) {
    this.#load = load;
    this.#told = told;
  }

  /** @returns when all of it has come */
  async visit(page: number): Promise<void> {
    const [document, ...rest] = resourcesOf(page);
    if (document !== undefined) await this.#all([document]);
    await this.#all(rest);
  }

  /** As many at once as there may be connections, in their order. */
  #all(resources: readonly Resource[]): Promise<void> {
    return new Promise((done) => {
      const waiting = [...resources];
      let left = waiting.length;
      const fill = () => {
        for (let at = 0; at < waiting.length;) {
          const resource = waiting[at];
          if (resource === undefined || !this.#fetch(resource, ended)) at++;
          else waiting.splice(at, 1);
        }
      };
      const ended = () => {
        if (--left === 0) return done();
        fill();
      };
      fill();
    });
  }

  /** @returns false when it has to wait for a connection */
  #fetch(resource: Resource, ended: () => void): boolean {
    const host = this.#hostOf(resource.host);
    const kept = host.idle.pop();
    if (kept === undefined && (host.open >= PER_HOST || (this.#open >= PER_PROXY && !this.#closeIdle()))) return false;
    if (kept === undefined) this.#opened(host);
    const target: Target = { host: resource.host, path: resource.path, fields: FIELDS, status: resource.status, size: resource.size };
    const ask = (used: Exchange | undefined) => {
      request(this.#load, target, used, (error, still) => {
        if (error === STALE) {
          this.#told.connected();
          return ask(undefined);
        }
        if (error === undefined) this.#told.answered(resource.size);
        else this.#told.failed(error);
        if (still === undefined) this.#closed(host);
        else host.idle.push(still);
        ended();
      });
    };
    if (kept?.stale === true) this.#told.connected();
    ask(kept);
    return true;
  }

  #hostOf(name: string): Host {
    let host = this.#hosts.get(name);
    if (host === undefined) this.#hosts.set(name, (host = { idle: [], open: 0 }));
    return host;
  }

  /** Makes room for a connection to another host, as browsers do. */
  #closeIdle(): boolean {
    for (const host of this.#hosts.values()) {
      const exchange = host.idle.shift();
      if (exchange === undefined) continue;
      exchange.close();
      this.#closed(host);
      return true;
    }
    return false;
  }

  #opened(host: Host): void {
    host.open++;
    this.#open++;
    this.#told.connected();
  }

  #closed(host: Host): void {
    host.open--;
    this.#open--;
  }
}
