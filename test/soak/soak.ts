/**
 * A soak: the real program under mixed traffic with faults, watched from outside, and all that it has written compared with what its
 * clients and the origin know.
 *
 * WARCTAP_SOAK_SEED sets the seed; WARCTAP_SOAK_KEEP keeps the folder.
 */
import { execFile } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { start, type Program } from '../clients/support/program.ts';
import { hashPassword } from '../../src/auth/password-hash.ts';
import { testCaFile } from '../support/certificate.ts';
import { startSocks } from '../support/socks.ts';
import { Ledger, STATE, type Archive } from './ledger.ts';
import { startSoakOrigin, type SoakOrigin } from './origin.ts';
import { LOGIN, LOGIN_LINE, MAX_RESOURCE_BYTES, Plan, STATS_BUCKETS } from './plan.ts';
import { Traffic } from './traffic.ts';
import { handles, status, Watch, type Handles, type Inside, type Sample, type Status } from './watch.ts';
import { Wire } from './wire.ts';

export interface SoakOptions {
  readonly minutes: number;
  /** bodies in both directions; bounds the load and what is written */
  readonly bytesPerSecond?: number;
  readonly print: (line: string) => void;
}

export interface SoakResult {
  readonly faults: readonly string[];
  readonly answers: number;
  readonly archive: Archive | undefined;
  readonly samples: readonly Sample[];
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CLIENTS = 32;
const BYTES_PER_SECOND = 4_000_000;
const WARC_BYTES = 8_000_000;
const SAMPLE_MS = 5000;
const MAX_FAULTS = 100;
/** With all caches full: TLS contexts of a thousand names, and as many idle connections to origins, most of them with TLS. */
const MAX_RSS_BYTES = 400_000_000;
/** of the largest resident set of the last third to that of the middle one; below some minutes the program still warms up */
const MAX_GROWTH = 1.3;
const GROWTH_FROM_MINUTES = 2;
const REST_MS = 15_000;

export async function soak({ minutes, bytesPerSecond = BYTES_PER_SECOND, print }: SoakOptions): Promise<SoakResult> {
  const faults: string[] = [];
  let faultCount = 0;
  const report = (fault: string) => {
    if (++faultCount <= MAX_FAULTS) print(`FAULT ${fault}`);
    if (faultCount <= MAX_FAULTS) faults.push(fault);
  };
  const seed = Number(process.env.WARCTAP_SOAK_SEED ?? 1);
  const dir = await mkdtemp(join(tmpdir(), 'warctap-soak-'));
  try {
    await using origin = await startSoakOrigin();
    await using socks = await startSocks();
    const plan = new Plan(seed, origin.ports);
    origin.follow(plan, report);
    const ledger = new Ledger(plan, origin.served, report);
    const playbackPort = await freePort();
    await using program = await startProgram(dir, playbackPort, socks.port);
    const ca = await readFile(program.caFile, 'utf8');
    const traffic = new Traffic({
      ...{ plan, ledger, ca, report, bytesPerSecond, playbackPort },
      proxyPort: program.port,
      clients: CLIENTS,
    });

    await status(program.port);
    const idle = handles(program.pid);
    const watch = new Watch(program.pid, program.port, join(dir, 'probe.jsonl'));
    const durationMs = minutes * 60_000;
    print(`seed ${seed}, ${clock(durationMs)} minutes, ${CLIENTS} clients`);
    await loaded(traffic, watch, durationMs, print);

    const calm = await rest(program.port, report);
    const processed = judgeStatistics(calm, await bucketTotals(program.port, origin, report), ledger, report);
    origin.closeConnections();
    const after = await closedHandles(program.pid, idle, report);
    await watch.sample();
    judgeMemory(watch.samples, minutes, report);

    const { code, stderr } = await program.stop();
    if (code !== 0) report(`exit code ${code}: ${stderr.slice(-2000)}`);
    await verify(program.warcDir, report);
    const archive = await ledger.judge(program.warcDir, join(dir, 'crawl'));
    if (archive.records === 0) report('nothing is in the archive');
    if (socks.asked.length === 0) report('nothing went by the SOCKS proxy');
    printTable(watch.samples, print);
    print(
      `${traffic.sessions} sessions, ${traffic.answers} answers, ${processed} URLs processed; ${archive.records} records (${archive.revisits} revisits, ` +
        `${mb(archive.bytes)}) in ${archive.files} files, ${archive.logLines} lines of crawl log; handles ${idle.all} before, ${after.all} after`,
    );
    print(faultCount === 0 ? 'no fault' : `${faultCount} faults`);
    return { faults, answers: traffic.answers, archive, samples: watch.samples };
  } finally {
    if (process.env.WARCTAP_SOAK_KEEP === undefined) await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    else print(`kept: ${dir}`);
  }
}

async function startProgram(dir: string, playbackPort: number, socksPort: number): Promise<Program> {
  const inDir = (name: string) => join(dir, name);
  const [user, password = ''] = LOGIN.split(':');
  await writeFile(inDir('users'), `${user}:${await hashPassword(password)}\n`, { mode: 0o600 });
  const options = {
    ...{ port: 0, 'playback-port': playbackPort, prefix: 'SOAK', size: WARC_BYTES, 'min-free-space': 2_000_000_000 },
    ...{ dir: inDir('warcs'), 'certs-dir': inDir('certs'), 'dedup-db-file': inDir('db'), 'stats-db-file': inDir('db') },
    ...{ 'crawl-log-dir': inDir('crawl'), cacert: await testCaFile(), plugin: fileURLToPath(new URL('probe.js', import.meta.url)) },
    ...{ 'proxy-auth-file': inDir('users'), 'onion-tor-socks-proxy': `127.0.0.1:${socksPort}`, fsync: 'capture' },
    ...{ 'blackout-period': 600, 'max-resource-size': MAX_RESOURCE_BYTES },
    ...{ 'rollover-idle-time': 30, 'max-threads': 100, 'queue-size': 100, 'tmp-file-max-memory-size': 200_000 },
  };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return start(['--allow-localhost', '--gzip', ...flags], dir);
}

/** Sample while the traffic runs; a line a minute. */
async function loaded(traffic: Traffic, watch: Watch, durationMs: number, print: (line: string) => void): Promise<void> {
  const stop = new AbortController();
  setMaxListeners(CLIENTS + 1, stop.signal);
  const running = traffic.run(stop.signal);
  const startMs = performance.now();
  const everyMs = Math.min(SAMPLE_MS, durationMs / 12);
  let minute = 0;
  try {
    for (let turn = 1; turn * everyMs <= durationMs + 1; turn++) {
      await delay(Math.max(0, startMs + turn * everyMs - performance.now()));
      await watch.sample();
      const { atMs } = watch.samples.at(-1)!;
      if (Math.floor(atMs / 60_000) === minute) continue;
      minute = Math.floor(atMs / 60_000);
      print(`${line(watch.samples.filter((sample) => sample.atMs > atMs - 60_000))}, ${traffic.answers} answers`);
    }
  } finally {
    stop.abort();
    await running;
  }
}

/** Downloads that clients have left go on for a moment. */
async function rest(port: number, report: (fault: string) => void): Promise<Status> {
  const startMs = performance.now();
  for (;;) {
    const now = await status(port);
    const waiting = now.active_requests + now.unaccepted_requests + now.queued_urls;
    const inChain = now.postfetch_chain.reduce((sum, { queued_urls }) => sum + queued_urls, 0);
    const isCalm = waiting + inChain === 0;
    if (!isCalm && performance.now() - startMs < REST_MS) continue;
    if (!isCalm) report(`not calm ${REST_MS / 1000} s after the load: ${JSON.stringify(now)}`);
    for (const { processor, errors } of now.postfetch_chain) if (errors > 0) report(`${processor} has failed ${errors} times`);
    return now;
  }
}

/** Asked for by limits that have been reached. */
async function bucketTotals(port: number, origin: SoakOrigin, report: (fault: string) => void): Promise<Map<string, number>> {
  const totals = new Map<string, number>();
  for (const bucket of ['__all__', ...STATS_BUCKETS]) {
    using wire = await Wire.connect(port);
    const meta = JSON.stringify({ stats: { buckets: STATS_BUCKETS }, limits: { [`${bucket}/total/urls`]: 1 } });
    const host = `h0.localhost:${origin.ports.http}`;
    wire.write(`GET http://${host}/probe HTTP/1.1\r\nHost: ${host}\r\n${LOGIN_LINE}Warcprox-Meta: ${meta}\r\n\r\n`);
    const { status: code, head } = await wire.response('GET');
    if (code !== 420) report(`the statistics of ${bucket} were answered ${head}`);
    const stats = JSON.parse(/^Warcprox-Meta: (.*)\r$/im.exec(head)?.[1] ?? '{}') as {
      stats?: Record<string, { total: { urls: number } }>;
    };
    totals.set(bucket, stats.stats?.[bucket]?.total.urls ?? 0);
  }
  return totals;
}

function judgeStatistics(calm: Status, totals: ReadonlyMap<string, number>, ledger: Ledger, report: (fault: string) => void): number {
  const processed = ledger.count(STATE.archived, STATE.truncated, STATE.unwritten) + ledger.repeats;
  if (calm.urls_processed !== processed) report(`/status says ${calm.urls_processed} URLs processed instead of ${processed}`);
  for (const [bucket, total] of totals) {
    const expected = bucket === '__all__' ? processed : ledger.counted(bucket);
    if (total !== expected) report(`bucket ${bucket} has ${total} URLs instead of ${expected}`);
  }
  return processed;
}

/** Sockets are as many as before, and no temporary file is open. LevelDB and crawl logs keep their files. */
async function closedHandles(pid: number, idle: Handles, report: (fault: string) => void): Promise<Handles> {
  const startMs = performance.now();
  for (;;) {
    const now = handles(pid);
    if (now.sockets <= idle.sockets && now.nameless === 0) return now;
    if (performance.now() - startMs > REST_MS) {
      report(`handles ${REST_MS / 1000} s after the load: ${JSON.stringify(now)}, before it: ${JSON.stringify(idle)}`);
      return now;
    }
    await delay(50);
  }
}

function judgeMemory(samples: readonly Sample[], minutes: number, report: (fault: string) => void): void {
  const largest = (from: number, to: number) =>
    Math.max(...samples.slice(Math.floor(samples.length * from), Math.ceil(samples.length * to)).map((sample) => sample.rssBytes));
  const [all, middle, last] = [largest(0, 1), largest(1 / 3, 2 / 3), largest(2 / 3, 1)];
  if (all > MAX_RSS_BYTES) report(`${mb(all)} of memory`);
  if (minutes >= GROWTH_FROM_MINUTES && last > MAX_GROWTH * middle)
    report(`${mb(last)} of memory in the last third, ${mb(middle)} in the middle one`);
}

/** The program's own judgement, revisit targets included. */
async function verify(warcDir: string, report: (fault: string) => void): Promise<void> {
  const files = (await readdir(warcDir)).filter((name) => name.endsWith('.warc.gz'));
  const command = execFile(process.execPath, [join(ROOT, 'bin/warctap.js'), 'verify', ...files], { cwd: warcDir, maxBuffer: 1e8 });
  let output = '';
  for (const stream of [command.stdout, command.stderr]) stream?.on('data', (text: string) => (output += text));
  const [code] = (await once(command, 'close')) as [number | null];
  if (code === 0) return;
  const problems = output.split('\n').filter((text) => text !== '' && !text.includes(': ok, '));
  report(`warctap verify ended with ${code}: ${problems.slice(0, 10).join('; ')}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function line(samples: readonly Sample[]): string {
  const { atMs, rssBytes, handles: open, status: now, inside } = samples.at(-1)!;
  const longest = (pick: (inside: Inside) => number) => Math.max(...samples.map((sample) => pick(sample.inside))).toFixed(0);
  return (
    `${clock(atMs).padStart(6)}  RSS ${mb(rssBytes)}, heap ${mb(inside.heapBytes)}, ${open.all} handles (${open.sockets} sockets, ` +
    `${open.nameless} nameless files), ${now.active_requests} active, ${now.queued_urls} queued, longest pause ${longest(({ pauseMs }) => pauseMs)} ms (busy ${longest(({ busyMs }) => busyMs)} ms), ` +
    `${mb(now.warc_bytes_written)} written`
  );
}

/** Twelve rows, each of the samples since the one before. */
function printTable(samples: readonly Sample[], print: (line: string) => void): void {
  const rows = Math.min(12, samples.length);
  for (let row = 0; row < rows; row++) {
    const part = samples.slice(Math.floor((row * samples.length) / rows), Math.floor(((row + 1) * samples.length) / rows));
    print(line(part));
  }
}

/** minutes:seconds */
function clock(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function mb(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
