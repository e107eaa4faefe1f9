#!/usr/bin/env node
/** Launcher of the scraper helper alone, by the name that scrapers know. A CommonJS file, as its neighbour. */
/* global __dirname */
import('../dist/scraper/main.js')
  .then(({ runScraper }) => runScraper(process.argv.slice(2)))
  .then(
    (code) => process.exit(code),
    (error) => {
      const missing = error.code === 'ERR_MODULE_NOT_FOUND';
      process.stderr.write(
        `rtcv_scraper_client: ${missing ? `not installed yet, run "npm ci" in ${__dirname.replace(/.bin$/, '')}` : error.message}\n`,
      );
      process.exit(1);
    },
  );
