/** The life of jobs from outside: order, failures of every kind, killed workers, restarts, notifications. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { makeSmallDisk, noSmallDisk } from '../support/small-disk.ts';
import { convert, jobArchive, logOf, membersOf, startService, submit, until, Workplace, type Service } from './support.ts';

const MODULE = `
import { appendFileSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export function upper(dir, logger, options) { writeFileSync(join(dir, 'upper.txt'), JSON.stringify(options)); logger.warning({ message: 'dico', n: 42 }); }
upper.description = { label: 'Upper', help: 'help', options: [] };
export class Made { constructor(dir, logger) { writeFileSync(join(dir, 'made'), 'made'); logger.error('text'); logger.debug('é'); } }
export async function slow(dir, logger, { mark, until }) { appendFileSync(mark, 'x'); while (!existsSync(until)) await pause(20); }
export function throws() { throw new Error('thrown\\nwith a second line'); }
export async function rejects() { await pause(1); throw 'a text'; }
export function exits() { process.exit(0); }
export function kills() { process.kill(process.pid, 'SIGKILL'); }
export function spins() { for (;;) ; }
export function later() { setTimeout(() => { throw new Error('later'); }); return pause(10000); }
export function memory() { const all = []; for (;;) all.push(new Array(1e6).fill(all.length)); }
export function lines(dir, logger) { for (let n = 0; n < 20000; n++) logger.info('line ' + n); }
export function grows(dir) { for (let n = 0; ; n++) writeFileSync(join(dir, 'big' + n), Buffer.alloc(1e6)); }
export function fills(dir) { for (let n = 0; n < 40; n++) writeFileSync(join(dir, 'big' + n), Buffer.alloc(1e6, Math.random())); }
export function links(dir) { symlinkSync('/etc/passwd', join(dir, 'out')); symlinkSync('a.txt', join(dir, 'in')); rmSync(join(dir, 'out.log')); }
export function logs_away(dir, logger, { to }) { rmSync(join(dir, 'out.log')); symlinkSync(to, join(dir, 'out.log')); }
export async function leaves(dir, logger, { mark }) { spawn('sh', ['-c', 'sleep 2; echo left > ' + mark], { stdio: 'ignore' }).unref(); }
export const number = 1;
export { upper as default };
`;

const place = new Workplace();
place.write('kinds.mjs', MODULE);
place.write(
  'more/index.js',
  'exports.more = (dir, logger) => logger.info("more");\nexports.donothing = (dir, logger) => logger.info("mine");',
);
place.write('more/package.json', '{"type": "commonjs"}');
const VARIABLES = { CIRCE_TRANSFORMATIONS_MODULE: 'kinds, ./more', CIRCE_JOB_TIMEOUT: '20', CIRCE_MAX_UNPACKED: '3000000' };

const messages = (log: readonly { level: string; message: string }[]) => log.map(({ level, message }) => `${level} ${message}`);

describe('transformations', () => {
  let service: Service;
  before(async () => {
    service = await startService(place, ['run', '--workers', '2'], VARIABLES);
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    assert.deepEqual(place.names('tmp'), []);
    assert.deepEqual(place.names('queue'), []);
  });

  test('exported functions and classes are there, others are not, and those of users win', async () => {
    const names = (await (await fetch(`${service.url}/transformations/`)).json()) as string[];
    assert.ok(
      ['Made', 'donothing', 'more', 'upper'].every((name) => names.includes(name)),
      names.join(),
    );
    assert.ok(!names.includes('number') && !names.includes('default'));
  });

  test('run in order, with their options and a log; an unknown one is passed over', async () => {
    const { status, members, log } = await convert(service.url, jobArchive([['upper', { a: [1, null] }], 'nobody', 'Made', 'donothing']));
    assert.equal(status, 'done');
    assert.deepEqual(messages(log), [
      'INFO Executing transformation upper',
      'WARNING dico',
      'WARNING No such transformation: nobody',
      'INFO Executing transformation Made',
      'ERROR text',
      'DEBUG é',
      'INFO Executing transformation donothing',
      'INFO mine',
    ]);
    assert.equal(members.get('upper.txt')?.content, '{"a":[1,null]}');
    assert.equal(members.get('made')?.content, 'made');
    const lines = members.get('out.log')?.content.split('\n') ?? [];
    assert.match(
      lines[1] ?? '',
      /^\{"timestamp": "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", "level": "WARNING", "name": "job_logger_[0-9a-f]{32}", "message": "dico", "n": 42\}$/,
    );
    assert.match(lines[0] ?? '', /"message": "Executing transformation upper", "time": "[^"Z]*\.\d{6}"\}$/);
  });

  test('options that are missing or null arrive as {}', async () => {
    const { members } = await convert(service.url, jobArchive(['upper'], {}, { transformations: [{ name: 'upper', options: null }] }));
    assert.equal(members.get('upper.txt')?.content, '{}');
  });

  const failures: readonly (readonly [string, RegExp])[] = [
    ['throws', /^ERROR Transformation throws failed: thrown with a second line$/],
    ['rejects', /^ERROR Transformation rejects failed: a text$/],
    ['exits', /^ERROR Transformation exits failed: its process ended with exit code 0$/],
    ['kills', /^ERROR Transformation kills failed: its process was ended by SIGKILL$/],
    ['later', /^ERROR Transformation later failed: its process ended with exit code \d+ \(Error: later\)$/],
    ['grows', /^ERROR Transformation grows failed: its folder has grown to \d+ bytes/],
  ];
  for (const [name, line] of failures) {
    test(`one that ${name} fails with a word, later ones do not run, what there is is packed`, async () => {
      const [bad, good] = await Promise.all([
        convert(service.url, jobArchive([name, 'upper'])),
        convert(service.url, jobArchive(['upper'])),
      ]);
      assert.equal(bad.status, 'failed');
      assert.match(messages(bad.log).at(-1) ?? '', line);
      assert.equal(bad.members.get('a.txt')?.content, 'text');
      assert.ok(!bad.members.has('upper.txt'));
      assert.equal(good.status, 'done');
    });
  }

  test('20,000 lines are all there', async () => {
    const { log } = await convert(service.url, jobArchive(['lines']));
    assert.deepEqual([log.length, log.at(-1)?.message], [20_001, 'line 19999']);
  });

  test('links that leave the folder are left out and logged, a removed log is made anew', async () => {
    const { members, log } = await convert(service.url, jobArchive(['links', 'upper']));
    assert.equal(members.get('in')?.type, 'symlink');
    assert.ok(!members.has('out'));
    assert.match(messages(log).at(-1) ?? '', /^WARNING out is left out: it is a link that leaves the folder$/);
  });

  test('a log that was made a link is not written through', async () => {
    const to = place.write('victim', 'untouched');
    const { log } = await convert(service.url, jobArchive([['logs_away', { to }], 'upper']));
    assert.equal(readFileSync(to, 'utf8'), 'untouched');
    assert.deepEqual(messages(log), ['INFO Executing transformation upper', 'WARNING dico']);
  });

  test('an uploaded out.log is replaced', async () => {
    const { log } = await convert(service.url, jobArchive(['donothing'], { 'out.log': 'not JSON' }));
    assert.deepEqual(messages(log), ['INFO Executing transformation donothing', 'INFO mine']);
  });

  test('what a transformation has started ends with it', async () => {
    const mark = join(place.dir, 'left');
    await convert(service.url, jobArchive([['leaves', { mark }]]));
    await setTimeout(2200);
    assert.ok(!existsSync(mark));
  });
});

test('one that hangs, busy for ever, ends when its time is over, and the next one runs', async () => {
  await using service = await startService(place, ['run', '-w', '1'], { ...VARIABLES, CIRCE_JOB_TIMEOUT: '2' });
  const [hung, next] = await Promise.all([convert(service.url, jobArchive(['spins'])), convert(service.url, jobArchive(['upper']))]);
  assert.match(messages(hung.log).at(-1) ?? '', /^ERROR Transformation spins failed: it took longer than 2 s/);
  assert.equal(next.status, 'done');
});

test('jobs begin in their order, and no more at once than there are workers', async () => {
  const mark = join(place.dir, 'order');
  const open = join(place.dir, 'order-open');
  await using service = await startService(place, ['run', '-w', '1'], VARIABLES);
  const ids: string[] = [];
  for (let n = 0; n < 4; n++) ids.push(await submit(service.url, jobArchive([['slow', { mark: `${mark}${n}`, until: open }]])));
  await until(() => existsSync(`${mark}0`));
  const stand = async () =>
    Promise.all(
      ids.map(async (id) => {
        const { state, position } = (await (await fetch(`${service.url}/job/${id}?status=1`)).json()) as Record<string, unknown>;
        return `${String(state)} ${String(position)}`;
      }),
    );
  assert.deepEqual(await stand(), ['running 0', 'queued 1', 'queued 2', 'queued 3']);
  assert.ok(!existsSync(`${mark}1`));
  writeFileSync(open, '');
  await until(() => existsSync(`${mark}3`));
  for (const n of [0, 1, 2, 3]) rmSync(`${mark}${n}`);
  rmSync(open);
});

describe('workers of their own', () => {
  const gate = (name: string) => ({ mark: join(place.dir, `${name}-mark`), until: join(place.dir, `${name}-open`) });

  async function resultOf(url: string, id: string): Promise<{ status: string | null; log: string[]; names: string[] }> {
    for (;;) {
      const answer = await fetch(`${url}/job/${id}`);
      const body = Buffer.from(await answer.arrayBuffer());
      if (answer.status === 200)
        return {
          status: answer.headers.get('x-circe-job-status'),
          log: messages(await logOf(body)),
          names: [...(await membersOf(body)).keys()],
        };
      assert.equal(answer.status, 202);
      await setTimeout(50);
    }
  }

  test('take what was queued before them, and give it back at SIGTERM; another then runs it', async () => {
    const { mark, until: open } = gate('term');
    await using server = await startService(place, ['serve'], VARIABLES);
    const id = await submit(server.url, jobArchive([['slow', { mark, until: open }]]));
    await using first = await startService(place, ['start-workers'], VARIABLES);
    await until(() => existsSync(mark));
    assert.equal(await first.stop(), 0);
    assert.deepEqual(place.names('tmp'), []);
    assert.equal((await fetch(`${server.url}/job/${id}`)).status, 202);
    writeFileSync(open, '');
    await using second = await startService(place, ['start-workers'], VARIABLES);
    assert.equal((await resultOf(server.url, id)).status, 'done');
    assert.equal(readFileSync(mark, 'utf8'), 'xx');
    assert.equal(await second.stop(), 0);
    assert.equal(await server.stop(), 0);
  });

  test('that are killed take their processes along; the job runs again, and after three starts fails', async () => {
    const { mark, until: open } = gate('kill');
    await using server = await startService(place, ['serve'], VARIABLES);
    const id = await submit(server.url, jobArchive([['slow', { mark, until: open }]]));
    for (const starts of ['x', 'xx', 'xxx']) {
      await using worker = await startService(place, ['start-workers'], VARIABLES);
      await until(() => existsSync(mark) && readFileSync(mark, 'utf8') === starts);
      await worker.stop('SIGKILL');
    }
    await using last = await startService(place, ['start-workers'], VARIABLES);
    const { status, log } = await resultOf(server.url, id);
    assert.equal(status, 'failed');
    assert.match(log.at(-1) ?? '', /^ERROR The job was begun 3 times, and came to its end in none$/);
    assert.equal(readFileSync(mark, 'utf8'), 'xxx');
    await last.stop();
    assert.deepEqual(place.names('tmp'), []);
  });

  test('a restart of the server loses nothing, and one that waits is told', async () => {
    const first = await startService(place, ['serve'], VARIABLES);
    const id = await submit(first.url, jobArchive(['upper']));
    const waiting = fetch(`${first.url}/job/?block=1`, { method: 'POST', body: new Uint8Array(jobArchive(['upper'])) });
    await until(() => place.names('queue').filter((name) => name.endsWith('.tar.gz')).length === 2);
    assert.equal(await first.stop(), 0);
    const told = await waiting;
    assert.equal(told.status, 503);
    await using second = await startService(place, ['run'], VARIABLES);
    for (const each of [id, told.headers.get('x-circe-job') ?? '']) assert.equal((await resultOf(second.url, each)).status, 'done');
  });

  test('what a killed server leaves in the queue is gone after the next start, and results go when their time is over', async () => {
    place.write('work/queue/.upload-x', 'half');
    place.write('work/tmp/00000000000040008000000000000000-x/file', 'left');
    await using service = await startService(place, ['run'], { ...VARIABLES, CIRCE_RESULT_TTL: '0.5' });
    assert.ok(!place.names('queue').includes('.upload-x'));
    assert.deepEqual(place.names('tmp'), []);
    const id = await submit(service.url, jobArchive(['upper']));
    assert.equal((await resultOf(service.url, id)).status, 'done');
    while ((await fetch(`${service.url}/job/${id}`)).status !== 404) await setTimeout(50);
  });

  test('with CIRCE_IMMEDIATE_MODE the server runs jobs itself', async () => {
    await using service = await startService(place, ['serve'], { ...VARIABLES, CIRCE_IMMEDIATE_MODE: '1' });
    assert.equal((await convert(service.url, jobArchive(['upper']))).status, 'done');
  });
});

test('the port is free within five seconds of SIGTERM, with a job that runs and one that waits', async () => {
  const service = await startService(place, ['run', '-w', '1'], VARIABLES);
  const mark = join(place.dir, 'run-mark');
  await submit(service.url, jobArchive([['slow', { mark, until: join(place.dir, 'never') }]]));
  await until(() => existsSync(mark));
  const startedMs = performance.now();
  assert.equal(await service.stop(), 0);
  assert.ok(performance.now() - startedMs < 5000);
  await assert.rejects(fetch(`${service.url}/version/`));
  for (const name of place.names('queue')) rmSync(join(place.work, 'queue', name));
});

describe('notification', () => {
  interface Hook {
    readonly method: string;
    readonly type: string | undefined;
    readonly body: string;
    readonly fetched: number;
  }
  let hooks: Server;
  let port = 0;
  const calls: Hook[] = [];
  let told = (): void => undefined;
  let service: Service;
  before(async () => {
    service = await startService(place, ['run'], { ...VARIABLES, ALLOWED_WEBHOOK_HOSTS: '127.0.0.1' });
    const serve = async (request: IncomingMessage) => {
      let body = '';
      for await (const piece of request.setEncoding('utf8') as AsyncIterable<string>) body += piece;
      const { status } = await fetch(`${service.url}/job/${body.slice('uuid='.length)}`);
      calls.push({ method: request.method ?? '', type: request.headers['content-type'], body, fetched: status });
      told();
    };
    hooks = createServer((request, response) => {
      if (request.url === '/redirect') response.writeHead(302, { Location: '/' }).end();
      else if (request.url !== '/silent') response.writeHead(500).end();
      void serve(request);
    });
    hooks.listen(0, '127.0.0.1');
    await once(hooks, 'listening');
    ({ port } = hooks.address() as AddressInfo);
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    hooks.closeAllConnections();
    hooks.close();
  });

  test('one POST with the id as it was told, when the result is there; for failed jobs as well', async () => {
    for (const name of ['upper', 'throws']) {
      calls.length = 0;
      const came = new Promise<void>((resolve) => (told = resolve));
      const id = await submit(service.url, jobArchive([name], {}, { notify_hook: `http://127.0.0.1:${port}/` }));
      await came;
      assert.deepEqual(calls, [{ method: 'POST', type: 'application/x-www-form-urlencoded', body: `uuid=${id}`, fetched: 200 }]);
    }
  });

  test('comes once, although the worker is killed before it is answered', async () => {
    calls.length = 0;
    const came = new Promise<void>((resolve) => (told = resolve));
    const id = await submit(service.url, jobArchive(['upper'], {}, { notify_hook: `http://127.0.0.1:${port}/silent` }));
    await came;
    const record = join(place.work, 'queue', `${id.replaceAll('-', '')}.json`);
    await until(() => readFileSync(record, 'utf8').includes('"told":true'));
    await service.stop('SIGKILL');
    service = await startService(place, ['run'], { ...VARIABLES, ALLOWED_WEBHOOK_HOSTS: '127.0.0.1' });
    await until(() => place.names('queue').length === 0);
    assert.equal(calls.length, 1);
  });

  test('what cannot be called, is silent, redirects or is not allowed keeps no job', async () => {
    calls.length = 0;
    for (const hook of [
      `http://127.0.0.1:${port}/silent`,
      `http://127.0.0.1:${port}/redirect`,
      'no URL',
      'ftp://127.0.0.1/',
      'http://127.0.0.1:1/',
      `http://localhost:${port}/`,
      1,
    ]) {
      assert.equal((await convert(service.url, jobArchive(['upper'], {}, { notify_hook: hook }))).status, 'done', String(hook));
    }
    await until(() => place.names('queue').length === 0);
    assert.deepEqual(
      calls.map(({ method }) => method),
      ['POST', 'POST'],
      'the silent one and the one that redirects',
    );
  });
});

test('on a full disk a job ends with a word, an upload is refused, and there is room again', { skip: noSmallDisk }, async () => {
  using disk = makeSmallDisk(16);
  await using service = await startService(place, ['run', '-w', '1'], {
    ...VARIABLES,
    CIRCE_WORKING_DIR: join(disk.dir, 'work'),
    CIRCE_MAX_UNPACKED: '30000000',
  });
  const { status, log } = await convert(service.url, jobArchive(['fills', 'upper']));
  assert.equal(status, 'failed');
  assert.match(messages(log).at(-1) ?? '', /no space left on device/);
  const filler = join(disk.dir, 'filler');
  writeFileSync(filler, Buffer.alloc(15_000_000));
  const large = new Uint8Array(Buffer.concat([jobArchive(['upper']), Buffer.alloc(2_500_000)]));
  const answer = await fetch(`${service.url}/job/`, { method: 'POST', body: large });
  assert.deepEqual([answer.status, await answer.text()], [507, 'the disk is full, nothing was queued']);
  rmSync(filler);
  assert.equal((await convert(service.url, jobArchive(['upper']))).status, 'done');
});
