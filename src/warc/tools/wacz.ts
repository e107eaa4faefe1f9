/**
 * WARC files, their index and their pages as one WACZ, written as it is made. Nothing grows with the files but what is sorted on disk.
 *
 * What is in it once is stored and not packed, so that a player reads records out of it by their places.
 * Source: WACZ 1.1.1 (specs.webrecorder.net/wacz/1.1.1); Frictionless Data Package, Data Resource (`name`); ZipNum of pywb (index.idx).
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import type { ZipFile } from 'yazl';
import { LineSorter } from '../../util/line-sorter.ts';
import { timeOfDay } from '../../util/time-of-day.ts';
import { WarcOptionError } from '../errors.ts';
import { closedName } from '../paths.ts';
import type { Fault } from '../read/onward.ts';
import { cdxjLine, indexFile } from './cdx.ts';
import { pageLine, pageWatch, type Page } from './pages.ts';

export interface WaczOptions {
  readonly title: string | undefined;
  readonly description: string | undefined;
  /** the page to begin with */
  readonly url: string | undefined;
  /** with the text of pages, for searching */
  readonly text: boolean;
  /** which pages there are, where that is known; without it they are what HTML was answered with 200 */
  readonly known?: KnownPages;
  /** `warctap VERSION` */
  readonly software: string;
  readonly write: (bytes: Buffer) => Promise<void> | undefined;
  readonly onFault: (fault: Fault) => void;
  readonly onRecord: (file: string, offset: number) => void;
}

/** Each in a line, behind its time and a space: `2026-01-02T03:04:05.678Z {"id":…}`. */
export interface KnownPages {
  /** those to begin with */
  readonly first: LineSorter;
  readonly others: LineSorter;
  readonly main: Page;
  /** lines of `others` */
  readonly count: number;
}

interface Resource {
  readonly name: string;
  readonly path: string;
  readonly hash: string;
  readonly bytes: number;
}

/** Lines of an index in a piece that is unpacked at once. */
const BLOCK_LINES = 1024;
const INDEX = 'indexes/index.cdx.gz';

/** @throws WarcOptionError when no page has the URL that was named; what `write` throws */
export async function writeWacz(files: readonly string[], options: WaczOptions): Promise<void> {
  const { ZipFile } = await import('yazl');
  const { known } = options;
  const paths = archivePaths(files);
  const [index, pages, mainPages] = [new LineSorter(), new LineSorter(), new LineSorter()];
  try {
    let main: Page | undefined;
    let others = 0;
    // What cannot even be opened is told, and is not in it.
    const unopened = new Set<string>();
    for (const [at, file] of files.entries()) {
      let records = 0;
      await indexFile(file, {
        filename: basename(paths[at] ?? ''),
        onEntry: (entry) => index.add(cdxjLine(entry)),
        onFault: (fault) => {
          if (fault.offset === undefined && records === 0) unopened.add(file);
          options.onFault(fault);
        },
        onRecord: (offset) => {
          records++;
          options.onRecord(file, offset);
        },
        watch: (glance) =>
          known === undefined
            ? pageWatch(glance, options.text, (page) => {
                const isMain = options.url !== undefined && sameUrl(page.url, options.url);
                if (isMain && (main === undefined || page.ts < main.ts)) main = page;
                if (!isMain) others++;
                // Sorted by their times; the line itself comes behind that.
                return (isMain ? mainPages : pages).add(`${page.ts} ${pageLine(page)}`);
              })
            : undefined,
      });
    }
    if (options.url !== undefined && main === undefined && known === undefined)
      throw new WarcOptionError(
        `--main-page: none of the pages is ${JSON.stringify(options.url)}; "warctap ls --status 200 --mime text/html" lists them`,
      );
    const zip = new ZipFile();
    const listed = { pages: known?.others ?? pages, mainPages: known?.first ?? mainPages, main: known?.main ?? main };
    const found = { unopened, index, ...listed, others: known?.count ?? others };
    const filled = fill(new Package(zip), files, paths, found, options);
    // Told by who reads the stream.
    filled.catch((error: unknown) => (zip.outputStream as unknown as Readable).destroy(error as Error));
    for await (const piece of zip.outputStream as unknown as AsyncIterable<Buffer>) await options.write(piece);
    await filled;
  } finally {
    for (const sorter of [index, pages, mainPages]) await sorter[Symbol.asyncDispose]();
  }
}

interface Found {
  readonly unopened: ReadonlySet<string>;
  readonly index: LineSorter;
  readonly pages: LineSorter;
  readonly mainPages: LineSorter;
  readonly main: Page | undefined;
  readonly others: number;
}

async function fill(zip: Package, files: readonly string[], paths: readonly string[], found: Found, options: WaczOptions): Promise<void> {
  const { main, others, unopened } = found;
  for (const [at, file] of files.entries()) {
    if (unopened.has(file)) continue;
    const { size } = await stat(file);
    // What comes into an open file meanwhile is not in the index either.
    await zip.add(paths[at] ?? '', size === 0 ? [] : createReadStream(file, { end: size - 1 }), { compress: false });
  }
  const blocks: string[] = [`!meta 0 {"format": "cdxj-gzip-1.0", "filename": "${basename(INDEX)}"}\n`];
  await zip.add(INDEX, zipNum(found.index.sorted(), blocks), { compress: false });
  await zip.add(
    'indexes/index.idx',
    blocks.map((line) => Buffer.from(line)),
    { compress: true },
  );
  await zip.add('pages/pages.jsonl', pageList('Pages', 'pages', main === undefined ? found.pages : found.mainPages, options.text), {
    compress: true,
  });
  if (main !== undefined && others > 0)
    await zip.add('pages/extraPages.jsonl', pageList('Other pages', 'extraPages', found.pages, options.text), { compress: true });
  await zip.end({
    profile: 'data-package',
    wacz_version: '1.1.1',
    created: timeOfDay()
      .toISOString()
      .replace(/\.\d+Z$/, 'Z'),
    software: options.software,
    ...(options.title === undefined ? {} : { title: options.title }),
    ...(options.description === undefined ? {} : { description: options.description }),
    ...(main === undefined ? {} : { mainPageUrl: main.url, mainPageDate: main.ts }),
  });
}

/** Some lines at a time as a gzip member. @param blocks gets a line for each: the first key in it, and where it stands */
async function* zipNum(lines: AsyncIterable<string>, blocks: string[]): AsyncGenerator<Buffer, void> {
  let some: string[] = [];
  let offset = 0;
  const packed = () => {
    const [first = ''] = some;
    const bytes = gzipSync(some.join(''));
    const digest = createHash('sha256').update(bytes).digest('hex');
    blocks.push(`${first.slice(0, first.indexOf(' {'))} {"offset": ${offset}, "length": ${bytes.length}, "digest": "sha256:${digest}"}\n`);
    offset += bytes.length;
    some = [];
    return bytes;
  };
  for await (const line of lines) if (some.push(line) === BLOCK_LINES) yield packed();
  if (some.length > 0) yield packed();
}

async function* pageList(title: string, id: string, pages: LineSorter, hasText: boolean): AsyncGenerator<Buffer, void> {
  yield Buffer.from(`${JSON.stringify({ format: 'json-pages-1.0', id, title, ...(hasText ? { hasText } : {}) })}\n`);
  for await (const line of pages.sorted()) yield Buffer.from(line.slice(line.indexOf(' ') + 1));
}

/** A ZIP that keeps account of what is in it. */
class Package {
  readonly #zip: ZipFile;
  readonly #resources: Resource[] = [];
  readonly #mtime = timeOfDay();

  constructor(zip: ZipFile) {
    this.#zip = zip;
  }

  /** @throws what the source throws */
  async add(path: string, source: Iterable<Buffer> | AsyncIterable<Buffer>, { compress }: { readonly compress: boolean }): Promise<void> {
    const hash = createHash('sha256');
    let bytes = 0;
    const counted = async function* () {
      for await (const piece of source) {
        hash.update(piece);
        bytes += piece.length;
        yield piece;
      }
    };
    const stream = Readable.from(counted(), { objectMode: false });
    const ended = new Promise<void>((resolve, reject) => stream.on('close', resolve).on('error', reject));
    this.#zip.addReadStream(stream, path, { compress, mtime: this.#mtime, mode: 0o100644 });
    await ended;
    this.#resources.push({ name: basename(path).toLowerCase(), path, hash: `sha256:${hash.digest('hex')}`, bytes });
  }

  async end(description: Readonly<Record<string, unknown>>): Promise<void> {
    const packageBytes = Buffer.from(JSON.stringify({ ...description, resources: this.#resources }, undefined, 2));
    const hash = `sha256:${createHash('sha256').update(packageBytes).digest('hex')}`;
    await this.add('datapackage.json', [packageBytes], { compress: true });
    await this.add('datapackage-digest.json', [Buffer.from(JSON.stringify({ path: 'datapackage.json', hash }, undefined, 2))], {
      compress: true,
    });
    this.#zip.end();
  }
}

/** Names that a resource may have, each once: whatever else is in a name becomes `-`. */
function archivePaths(files: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return files.map((file) => {
    const name = basename(closedName(file)).replace(/[^-A-Za-z0-9._]/g, '-');
    const dot = /\.warc(?:\.\w+)?$/.exec(name)?.index ?? name.length;
    let [free, count] = [name, 0];
    while (taken.has(free.toLowerCase())) free = `${name.slice(0, dot)}-${(count += 1)}${name.slice(dot)}`;
    taken.add(free.toLowerCase());
    return `archive/${free}`;
  });
}

/** Without a path it is that of `/`. */
function sameUrl(a: string, b: string): boolean {
  return a === b || (URL.canParse(a) && URL.canParse(b) && new URL(a).href === new URL(b).href);
}
