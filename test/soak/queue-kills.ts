/**
 * 100,000 URLs through eight workers while they and the manager are killed: what test/queue/kills.test.ts does in short.
 *
 *   node --import tsx test/soak/queue-kills.ts [URLS] [SEED]
 */
import { killRun } from '../queue/kills.ts';

const [urls = 100_000, seed = 1] = process.argv.slice(2).map(Number);
const outcome = await killRun({ urls, workers: 8, kills: { manager: 40, workers: 80 }, leaseSeconds: 10, seed, pauseMs: 1000 });
console.log(outcome);
process.exit(outcome.faults.length === 0 ? 0 : 1);
