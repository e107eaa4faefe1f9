/** The helper as its own process runs it. */
import { runScraper } from '../../src/scraper/main.ts';

process.exit(await runScraper(process.argv.slice(2)));
