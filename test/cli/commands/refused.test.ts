/** Options of the proxy that other commands have not: said in a line why, and what there is instead, wherever they stand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runHere } from '../child.ts';

const REFUSED = [
  [['crawl', 'serve', '--workers', '4'], /^warctap: --workers is not for crawl serve: [^\n]*one --store for all\n$/],
  [['queue', 'worker', '--workers=auto'], /^warctap: --workers is not for queue worker: start it several times, [^\n]*\n$/],
  [['--workers', '2', 'archive', 'http://a.example/'], /^warctap: --workers is not for archive: [^\n]*--parallel [^\n]*\n$/],
  [['archive', '--workers', '2', 'http://a.example/'], /^warctap: --workers is not for archive: [^\n]*--parallel [^\n]*\n$/],
  [['archive', 'http://a.example/', '--store', 'valkey://h/0'], /^warctap: --store is not for archive: a WACZ [^\n]*\n$/],
] as const;

for (const [args, line] of REFUSED) {
  test(`warctap ${args.join(' ')}`, async () => {
    const { code, stderr, stdout } = await runHere(...args);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, line);
  });
}
