/**
 * `warctap scraper`: a helper that scrapers start and talk to by lines. Everything behind its name is its own to read.
 */
import { defineCommand } from '../command.ts';

export const scraper = defineCommand({
  name: 'scraper',
  summary: 'Helper for scrapers that report to RT-CV: lines of JSON in, lines of JSON out.',
  raw: true,
  notes: 'Its options have one dash: "warctap scraper -h" shows them.',
  exits: { ok: 'end of input, or SIGTERM', failed: 'input or output failed, or a file cannot be read', usage: 'bad option' },

  async run({ operands }) {
    const { runScraper } = await import('../../scraper/main.ts');
    return runScraper(operands);
  },
});
