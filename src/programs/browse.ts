/**
 * A proxy and a browser behind it, with a profile of its own that nobody keeps: it ends when the browser is closed.
 *
 *   browser (profile, proxy and trust set) ─► proxy ─► WARC files ─► WACZ, if it is to be one
 */
import { EventEmitter } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NoBrowserError } from '../browser/errors.ts';
import { chooseBrowser } from '../browser/find.ts';
import { BrowserWindow, hasDisplay } from '../browser/window.ts';
import type { Log } from '../util/log.ts';
import { allInOrder } from '../util/thrown.ts';
import { resolveOptions } from '../options/resolve.ts';
import type { WarctapOptions } from '../options/table.ts';
import type { CoreEvents } from './core.ts';
import type { Figures } from './figures.ts';
import { PackFolder } from './pack.ts';
import type { WarctapProxy } from './proxy.ts';
import { startProxy } from './start-proxy.ts';

export interface BrowseParts {
  /** of the proxy; without a port any that is free, without an authority one that is forgotten */
  readonly options: WarctapOptions;
  /** a name of `BROWSERS` or a path; undefined: the first that is there */
  readonly browser: string | undefined;
  readonly headless: boolean;
  /** where to begin */
  readonly url: string | undefined;
  /** one file of what was archived, instead of WARC files */
  readonly wacz: { readonly output: string; readonly force: boolean; readonly title: string | undefined } | undefined;
  readonly log: Log;
}

/** What has become of it. */
export interface BrowseResult {
  readonly figures: Figures;
  /** the WACZ, or the WARC files by their paths below `warcDir`, in the order in which they were begun */
  readonly files: readonly string[];
  readonly warcDir: string | undefined;
}

const MAX_FILES_TOLD = 1000;

interface OpenBrowse {
  readonly proxy: WarctapProxy;
  readonly window: BrowserWindow;
  readonly executable: string;
  /** thrown away */
  readonly scratch: string;
  readonly folder: PackFolder | undefined;
}

export class Browse extends EventEmitter<CoreEvents> implements AsyncDisposable {
  readonly ended: Promise<void>;
  readonly executable: string;
  readonly #parts: OpenBrowse;
  readonly #files = new Set<string>();
  #result: BrowseResult | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: OpenBrowse) {
    super();
    this.#parts = parts;
    this.executable = parts.executable;
    this.ended = parts.window.ended;
    parts.proxy.on('capture', (capture) => {
      for (const { path } of capture.outcome.records ?? []) if (this.#files.size < MAX_FILES_TOLD) this.#files.add(path);
      this.emit('capture', capture);
    });
    parts.proxy.on('fatal', (error) => this.emit('fatal', error));
  }

  get url(): string {
    return this.#parts.proxy.url;
  }

  /** Once it is closed. */
  get result(): BrowseResult | undefined {
    return this.#result;
  }

  blame(error: unknown): boolean {
    return this.#parts.proxy.blame(error);
  }

  figures(): Figures {
    return this.#parts.proxy.figures();
  }

  /** Close the browser, write everything that has come, and throw the profile away. Further calls wait for the same. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const { proxy, window, scratch, folder } = this.#parts;
    await allInOrder([
      () => window.close(),
      () => proxy.close(),
      () => rm(scratch, { recursive: true, force: true, maxRetries: 3 }),
      async () => {
        const figures = proxy.figures();
        if (folder === undefined) this.#result = { figures, files: [...this.#files], warcDir: proxy.warcDir };
        else if (figures.captures === 0) {
          await folder.remove();
          this.#result = { figures, files: [], warcDir: undefined };
        } else {
          await folder.pack();
          this.#result = { figures, files: [folder.output], warcDir: undefined };
        }
      },
    ]);
  }
}

/** @throws NoBrowserError where there is none, or no display for it; else as `startProxy` and `PackFolder.open` */
export async function startBrowse({ options, browser, headless, url, wacz, log }: BrowseParts): Promise<Browse> {
  const found = await chooseBrowser(browser);
  if (!headless && !hasDisplay())
    throw new NoBrowserError('there is no display for a window (DISPLAY, WAYLAND_DISPLAY): --headless runs the browser without one');
  const folder = wacz && (await PackFolder.open({ ...wacz, description: undefined, text: false }));
  const scratch = await mkdtemp(join(tmpdir(), 'warctap-browse-'));
  const undo: (() => Promise<unknown>)[] = [
    () => rm(scratch, { recursive: true, force: true }),
    ...(folder === undefined ? [] : [() => folder.remove()]),
  ];
  try {
    const own = { port: 0, cacert: join(scratch, 'ca.pem'), certsDir: join(scratch, 'certs') };
    const packed = folder && { dir: folder.warcs, dedupDbFile: join(folder.dir, 'db'), statsDbFile: join(folder.dir, 'db'), gzip: true };
    if (folder !== undefined) await mkdir(folder.warcs);
    const proxy = await startProxy(resolveOptions({ ...own, ...given(options), ...packed }), log);
    undo.unshift(() => proxy.close());
    const [profile, caFile] = [join(scratch, 'profile'), join(scratch, 'trusted.pem')];
    await mkdir(profile, { mode: 0o700 });
    await writeFile(caFile, proxy.caCertificatePem);
    const proxyUrl = `http://127.0.0.1:${proxy.port}`;
    const window = await BrowserWindow.open({ browser: found, proxyUrl, keySha256: proxy.keySha256, caFile, profile, headless, url });
    return new Browse({ proxy, window, executable: found.executable, scratch, folder });
  } catch (error) {
    for (const step of undo) await step();
    throw error;
  }
}

/** A file of an authority goes with the certificates that are kept beside it. */
function given({ cacert, certsDir, ...others }: WarctapOptions): WarctapOptions {
  const kept = { ...(cacert === undefined ? {} : { cacert }), ...(certsDir === undefined ? {} : { certsDir }) };
  return { ...Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined)), ...kept };
}
