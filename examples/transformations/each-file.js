/** What the transformations here have in common: every file of the top folder with one of these endings is converted, and goes. */
import { readdir, rm } from 'node:fs/promises';
import { extname, join } from 'node:path';

/**
 * @param {string} dir
 * @param {{ info(message: string): void }} logger
 * @param {{ label: string, endings: readonly string[], target: string, convert: (source: string, target: string) => Promise<void> }} what
 */
export async function eachFile(dir, logger, { label, endings, target, convert }) {
  let count = 0;
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    if (!entry.isFile() || !endings.includes(extname(entry.name).toLowerCase())) continue;
    const source = join(dir, entry.name);
    await convert(source, `${source}${target}`);
    await rm(source);
    count++;
  }
  logger.info(`${label}: ${count} files done.`);
}
