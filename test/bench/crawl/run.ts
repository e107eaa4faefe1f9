/**
 * Crawl jobs beside Scrapy with scrapy-warcio, and wpull where it is: CPU and time for each page, of one site, in turns.
 *
 *   python3 -m venv tmp/scrapy && tmp/scrapy/bin/pip install scrapy scrapy-warcio       (and libmagic, of the system)
 *   python3.6 -m venv tmp/wpull && tmp/wpull/bin/pip install wpull==2.0.1 'tornado<5' html5lib==0.9999999 'sqlalchemy<1.4'
 *   npm run build && node --import tsx test/bench/crawl/run.ts [PAGES] [ROUNDS] [JOBS...]
 *
 * wpull has one job a process, and so a row for one alone. CPU is that of the whole process with its threads, from the first request on;
 * the site is another process. Prints the lines of docs/benchmarks.md: medians of the rounds.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const PYTHON = process.env.WARCTAP_SCRAPY_PYTHON ?? 'tmp/scrapy/bin/python';
const WPULL = process.env.WARCTAP_WPULL_PYTHON ?? 'tmp/wpull/bin/python';
const HOSTS = '20';
const [, , pages = '2000', rounds = '3', ...jobCounts] = process.argv;
const here = (name: string) => join(import.meta.dirname, name);
const ours = (name: string, ...args: string[]) => [process.execPath, '--import', 'tsx', here(name), ...args] as const;

interface Figures {
  readonly pages: number;
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly maxRssMiB: number;
}

function started([command, ...args]: readonly string[]) {
  const child = spawn(command ?? '', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator]() };
}

async function measured(command: readonly string[]): Promise<Figures> {
  const { child, lines } = started(command);
  const ended = once(child, 'exit');
  let last = '';
  for await (const line of { [Symbol.asyncIterator]: () => lines }) last = line;
  await ended;
  return JSON.parse(last) as Figures;
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

const site = started(ours('site.ts', pages, HOSTS));
const port = String((await site.lines.next()).value);
const runs = new Map<string, Figures[]>();
try {
  for (let round = 0; round < Number(rounds); round++) {
    for (const jobs of jobCounts.length === 0 ? ['1', '10'] : jobCounts) {
      for (const [name, command] of [
        ['warctap', [process.execPath, here('warctap.js')]],
        ['Scrapy', [PYTHON, here('scrapy_peer.py')]],
        ...(jobs === '1' && existsSync(WPULL) ? [['wpull', [WPULL, here('wpull_peer.py')]] as const] : []),
      ] as const) {
        const folder = mkdtempSync(join(tmpdir(), 'warctap-bench-crawl-'));
        const figures = await measured([...command, port, jobs, folder]);
        rmSync(folder, { recursive: true, force: true });
        const key = `${name} | ${jobs}`;
        runs.set(key, [...(runs.get(key) ?? []), figures]);
        process.stderr.write(`${key}: ${JSON.stringify(figures)}\n`);
      }
    }
  }
} finally {
  site.child.kill();
}
process.stdout.write('| crawler | jobs | pages | CPU ms a page | pages a second | memory MiB |\n| --- | --- | --- | --- | --- | --- |\n');
for (const [key, all] of runs) {
  const of = (value: (figures: Figures) => number) => median(all.map(value));
  const [cpu, speed, memory] = [of((f) => f.cpuMs / f.pages), of((f) => (1000 * f.pages) / f.wallMs), of((f) => f.maxRssMiB)];
  process.stdout.write(`| ${key} | ${all[0]?.pages} | ${cpu.toFixed(2)} | ${speed.toFixed(0)} | ${memory.toFixed(0)} |\n`);
}
