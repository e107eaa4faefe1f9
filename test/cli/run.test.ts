import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { describe, test } from 'node:test';
import { run, type RunContext, type Running } from '../../src/cli/run.ts';
import { silentLog } from '../../src/util/log.ts';
import { runToEnd, start } from './child.ts';

class FakeProxy extends EventEmitter implements Running {
  closing = 0;
  constructor(readonly whenClosed: () => Promise<void> = () => Promise.resolve()) {
    super();
  }
  close(): Promise<void> {
    this.closing++;
    this.emit('closing');
    return this.whenClosed();
  }
}

function setUp(proxy: FakeProxy, start = () => Promise.resolve<Running>(proxy)) {
  const signals = new EventEmitter();
  const exits: string[] = [];
  const printed: string[] = [];
  const clock = { ms: 0 };
  const context: RunContext<Running> = {
    start,
    tell: () => 'started\n',
    show: () => ({ end: () => printed.push('ended\n') }),
    log: silentLog,
    print: (text) => printed.push(text),
    signals,
    endBy: (signal) => exits.push(signal),
    nowMs: () => clock.ms,
  };
  return { signals, exits, printed, clock, ended: run(context) };
}

const never = () => new Promise<void>(() => undefined);

describe('run', () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
    test(`${signal} closes the proxy and ends with 0`, async () => {
      const proxy = new FakeProxy();
      const { signals, ended, exits } = setUp(proxy);
      signals.emit(signal);
      assert.equal(await ended, 0);
      assert.equal(proxy.closing, 1);
      assert.deepEqual(exits, []);
      assert.deepEqual(signals.eventNames(), []);
    });
  }

  test('a second signal ends the process at once', async () => {
    const proxy = new FakeProxy(never);
    const { signals, exits } = setUp(proxy);
    signals.emit('SIGTERM');
    await once(proxy, 'closing');
    signals.emit('SIGINT');
    assert.deepEqual(exits, ['SIGINT']);
  });

  test('the same signal again within 100 ms is one signal, as npm passes on what the process group has got', async () => {
    const proxy = new FakeProxy(never);
    const { signals, exits, clock } = setUp(proxy);
    signals.emit('SIGTERM');
    await once(proxy, 'closing');
    clock.ms = 100;
    signals.emit('SIGTERM');
    assert.deepEqual(exits, []);
    clock.ms = 101;
    signals.emit('SIGTERM');
    assert.deepEqual(exits, ['SIGTERM']);
  });

  test('a signal while starting closes the proxy as soon as it has started', async () => {
    const proxy = new FakeProxy();
    let started: (proxy: Running) => void = () => undefined;
    const { signals, ended } = setUp(proxy, () => new Promise((done) => (started = done)));
    signals.emit('SIGINT');
    started(proxy);
    assert.equal(await ended, 0);
    assert.equal(proxy.closing, 1);
  });

  test('a fatal error closes what can be closed and ends with 3', async () => {
    const proxy = new FakeProxy(() => Promise.reject(new Error('cannot close either')));
    const { ended } = setUp(proxy);
    await once(proxy, 'newListener');
    proxy.emit('fatal', new Error('disk full'));
    proxy.emit('fatal', new Error('and again'));
    assert.equal(await ended, 3);
    assert.equal(proxy.closing, 1);
  });

  test('a fatal error while closing ends with 3', async () => {
    const proxy: FakeProxy = new FakeProxy(async () => {
      await Promise.resolve();
      proxy.emit('fatal', new Error('disk full'));
    });
    const { signals, ended } = setUp(proxy);
    signals.emit('SIGTERM');
    assert.equal(await ended, 3);
  });

  test('what keeps the proxy from starting is thrown, and signals are let go of', async () => {
    const { signals, ended } = setUp(new FakeProxy(), () => Promise.reject(new Error('port in use')));
    await assert.rejects(ended, /port in use/);
    assert.deepEqual(signals.eventNames(), []);
  });

  test('what is told of a program stands on standard output', async () => {
    const { signals, printed, ended } = setUp(new FakeProxy());
    signals.emit('SIGTERM');
    await ended;
    assert.deepEqual(printed, ['started\n', 'ended\n']);
  });
});

describe('the program', { concurrency: 2 }, () => {
  test('tells where it is, and ends with 0 on SIGTERM', async () => {
    const program = start(['--cacert', '/ca.pem', '--dir', '/w']);
    assert.equal(await program.line('curl'), '  try             curl --proxy http://127.0.0.1:8000 --cacert /ca.pem https://example.com/');
    program.child.kill('SIGTERM');
    assert.equal((await program.ended).code, 0);
  });

  test('ends at once by a second signal, even when a thread hangs', async () => {
    const program = start([], { fake: 'hangs on close' });
    await program.line('curl');
    program.child.kill('SIGTERM');
    await program.line('"closing"');
    program.child.kill('SIGINT');
    await program.ended;
    assert.equal(program.child.signalCode, 'SIGINT');
  });

  test('ends with 3 and the reason when nothing can be archived any more', async () => {
    const { code, stderr } = await runToEnd([], { fake: 'fatal' });
    assert.equal(code, 3);
    assert.match(stderr, /no space left on device/);
    assert.doesNotMatch(stderr, / {4}at /);
  });

  test('ends with 3 when closing fails', async () => {
    const program = start([], { fake: 'fails on close' });
    await program.line('curl');
    program.child.kill('SIGINT');
    const { code, stderr } = await program.ended;
    assert.equal(code, 3);
    assert.match(stderr, /closing failed: disk gone/);
  });

  test('ends with 1 and one line when it cannot start', async () => {
    assert.deepEqual(await runToEnd([], { fake: 'port in use' }), {
      code: 1,
      stdout: '',
      stderr: 'warctap: cannot listen on 127.0.0.1 port 8000: the port is in use\n',
    });
    assert.equal((await runToEnd([], { fake: 'many lines' })).stderr, 'warctap: the CA is broken and here is why\n');
  });

  test('shows stack traces with --trace only', async () => {
    assert.match((await runToEnd(['--trace'], { fake: 'many lines' })).stderr, /"stack":"Error: the CA is broken/);
  });

  test('tells a fault of its own in one line with its place, and ends with 1', async () => {
    const { code, stderr } = await runToEnd([], { fake: 'fault' });
    assert.equal(code, 1);
    assert.equal(stderr.trimEnd().split('\n').length, 1);
    assert.match(stderr, /a fault in warctap[^\n]*proxy\.ts/);
  });

  test('goes on when nobody reads its output', async () => {
    const program = start(['--trace']);
    program.child.stdout?.destroy();
    await program.line('"details"');
    program.child.kill('SIGTERM');
    assert.equal((await program.ended).code, 0);
  });
});

describe('SIGUSR2', () => {
  const setUpReload = (start: (proxy: FakeProxy) => Promise<Running>) => {
    const proxy = new FakeProxy();
    const signals = new EventEmitter();
    const reloads: (() => void)[] = [];
    const ended = run({
      start: () => start(proxy),
      tell: () => '',
      log: silentLog,
      show: () => ({ end: () => undefined }),
      print: () => undefined,
      signals,
      endBy: () => undefined,
      nowMs: () => 0,
      reload: () => new Promise((done) => reloads.push(done)),
    });
    return { signals, reloads, ended };
  };
  const turn = () => new Promise((done) => setImmediate(done));

  test('several while one reload is under way are one more, and none counts once it closes', async () => {
    const { signals, reloads, ended } = setUpReload((proxy) => Promise.resolve(proxy));
    for (let i = 0; i < 3; i++) signals.emit('SIGUSR2');
    await turn();
    assert.equal(reloads.length, 1);
    reloads[0]?.();
    await turn();
    assert.equal(reloads.length, 2);
    reloads[1]?.();
    await turn();
    assert.equal(reloads.length, 2);
    signals.emit('SIGTERM');
    signals.emit('SIGUSR2');
    assert.equal(await ended, 0);
    assert.equal(reloads.length, 2);
    assert.deepEqual(signals.eventNames(), []);
  });

  test('one that comes while the program starts waits for it', async () => {
    let started: () => void = () => undefined;
    const { signals, reloads, ended } = setUpReload((proxy) => new Promise((done) => (started = () => done(proxy))));
    signals.emit('SIGUSR2');
    await turn();
    assert.equal(reloads.length, 0);
    started();
    await turn();
    assert.equal(reloads.length, 1);
    reloads[0]?.();
    signals.emit('SIGTERM');
    assert.equal(await ended, 0);
  });
});
