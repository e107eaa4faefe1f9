/**
 * The documents of the product, and how tests look things up in them and in the sources.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

/** @param path from the top of the checkout */
export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

export const sourcesIn = (folder: string): string =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => read(join(folder, name)))
    .join('\n');

export const DOCS: readonly { readonly path: string; readonly text: string }[] = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'certs/README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].map((path) => ({ path, text: read(path) }));

/** What the first group of the pattern has matched, everywhere in a text. */
export const found = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, name = '']) => name);

/** The cells of all tables whose head has these words, in their columns. */
export function cells(text: string, ...heads: readonly string[]): string[][] {
  return text.split(/\n\n/).flatMap((block) => {
    const [head = [], , ...rows] = block.split('\n').map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
    const columns = heads.map((word) => head.indexOf(word));
    return columns.includes(-1) ? [] : rows.map((row) => columns.map((column) => row[column] ?? ''));
  });
}

/** The value of a constant of a source file: a number, or a product of some. */
export function constantIn(file: string, name: string): number {
  const [, text = ''] = new RegExp(`^(?:export )?const ${name} = ([\\d_ *]+);$`, 'm').exec(read(file)) ?? [];
  assert.notEqual(text, '', `${file} has no constant ${name}`);
  return text.split('*').reduce((product, factor) => product * Number(factor.trim().replaceAll('_', '')), 1);
}
