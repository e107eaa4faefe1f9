/**
 * Markdown to HTML, by the package `marked` (npm install marked): how a transformation is written in TypeScript.
 *
 * Node 22.18 and newer load this file as it is; for older ones compile it, or start the service with `node --import tsx`.
 */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { marked } from 'marked';
import type { Description, Logger } from 'warctap/transform-client';

const description: Description = {
  label: 'Markdown to HTML',
  help: 'Makes a page of every Markdown file.',
  options: [{ id: 'title', label: 'Title', values: {}, default: '', free_input: true }],
};

async function convertAll(dir: string, logger: Logger, { title = '' }: { readonly title?: unknown }): Promise<void> {
  const names = (await readdir(dir)).filter((name) => name.toLowerCase().endsWith('.md'));
  for (const name of names) {
    const body = await marked.parse(await readFile(join(dir, name), 'utf8'));
    const heading = escaped(typeof title === 'string' && title !== '' ? title : name);
    await writeFile(
      join(dir, `${name}.html`),
      `<!doctype html>\n<html>\n<meta charset="utf-8">\n<title>${heading}</title>\n${body}</html>\n`,
    );
    await rm(join(dir, name));
  }
  logger.info({ message: `${description.label}: ${names.length} files done.`, files: names.length });
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

export const markdown2html = Object.assign(convertAll, { description });
