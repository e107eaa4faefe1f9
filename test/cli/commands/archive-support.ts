/** What tests of `warctap archive` share: sites, and a WACZ read back. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { readFolder, type TestRecord } from '../../support/proxy.ts';
import { unzipped } from '../../support/unzipped.ts';
import { runToEnd, type Ended } from '../child.ts';

export const ALWAYS = ['--allow-localhost', '--min-free-space', '0'];

export type Texts = Readonly<Record<string, readonly [type: string, body: string | Buffer, more?: Readonly<Record<string, string>>]>>;

export function answers(texts: Texts): RequestListener {
  return (request, response) => {
    const [type, body, more] = texts[request.url ?? ''] ?? ['text/html', '<title>none</title>none'];
    const status = Object.hasOwn(texts, request.url ?? '') ? (more?.Location === undefined ? 200 : 302) : 404;
    response.writeHead(status, { 'Content-Type': type, ...more }).end(body);
  };
}

export function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'warctap-archive-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export interface Made extends Ended {
  readonly dir: string;
  readonly pages: readonly Record<string, unknown>[];
  readonly records: readonly TestRecord[];
  readonly about: Record<string, unknown>;
}

/** What is in a WACZ. */
export async function opened(dir: string, name = 'out.wacz'): Promise<Omit<Made, keyof Ended>> {
  const zip = unzipped(readFileSync(join(dir, name)));
  const warcs = join(dir, 'unpacked');
  rmSync(warcs, { recursive: true, force: true });
  mkdirSync(warcs);
  for (const [path, { bytes }] of zip) if (path.startsWith('archive/')) writeFileSync(join(warcs, path.slice('archive/'.length)), bytes);
  const lists = ['pages/pages.jsonl', 'pages/extraPages.jsonl'].flatMap((path) => String(zip.get(path)?.bytes ?? '').split('\n'));
  const pages = lists.filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
  const about = JSON.parse(String(zip.get('datapackage.json')?.bytes)) as Record<string, unknown>;
  return { dir, pages: pages.filter(({ url }) => url !== undefined), records: await readFolder(warcs), about };
}

export async function archived(t: TestContext, ...args: readonly string[]): Promise<Made> {
  const dir = folder(t);
  const ended = await runToEnd(['archive', ...args, ...ALWAYS, '-o', join(dir, 'out.wacz')]);
  assert.deepEqual(readdirSync(dir), ['out.wacz'], `${ended.stdout}${ended.stderr}`);
  return { ...ended, ...(await opened(dir)) };
}

export const urlsOf = (records: readonly TestRecord[], type: string, site: string) =>
  records.filter((record) => record.type === type && record.url.startsWith(site)).map(({ url }) => url.slice(site.length));
export const pathsOf = (pages: Made['pages'], site: string) => pages.map(({ url }) => String(url).slice(site.length));
