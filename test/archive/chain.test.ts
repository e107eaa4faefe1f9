/** The post-fetch chain: order, batches, back-pressure, and processors that fail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Capture } from '../../src/capture/capture.ts';
import { Chain, type ChainOptions } from '../../src/archive/chain.ts';
import type { Processor } from '../../src/archive/processor.ts';
import { silentLog } from '../../src/util/log.ts';
import { exchangeCapture } from '../support/captures.ts';

function newChain(processors: readonly Processor[], options: Partial<ChainOptions> = {}): { chain: Chain; done: string[] } {
  const done: string[] = [];
  const chain = new Chain({
    processors,
    done: (capture) => done.push(capture.url),
    maxQueued: 500,
    log: silentLog,
    isFatal: () => false,
    onFatal: () => undefined,
    ...options,
  });
  return { chain, done };
}

/** A processor that holds each batch until it is told to go on. */
function gate(name = 'Gate') {
  const batches: string[][] = [];
  let open = () => {};
  let arrived = () => {};
  const processor: Processor = {
    name,
    process: (batch: readonly Capture[]) => {
      batches.push(batch.map(({ url }) => url));
      arrived();
      return new Promise<void>((resolve) => (open = resolve));
    },
  };
  return {
    processor,
    batches,
    open: () => open(),
    async batch(count: number) {
      while (batches.length < count) await new Promise<void>((resolve) => (arrived = resolve));
    },
  };
}

test('a batch goes through all processors before the next begins', async () => {
  const seen: string[] = [];
  const note = (name: string): Processor => ({ name, process: (batch) => void seen.push(name + batch.map(({ url }) => url).join('')) });
  const slow = gate();
  const { chain, done } = newChain([note('A'), slow.processor, note('B')]);
  void chain.push(exchangeCapture('1'));
  void chain.push(exchangeCapture('2'));
  await slow.batch(1);
  void chain.push(exchangeCapture('3'));
  assert.deepEqual(seen, ['A12']);
  slow.open();
  await slow.batch(2);
  assert.deepEqual(seen, ['A12', 'B12', 'A3']);
  assert.deepEqual(done, ['1', '2']);
  slow.open();
  await chain.close();
  assert.deepEqual(seen, ['A12', 'B12', 'A3', 'B3']);
});

test('a batch has at most 200 captures, in their order', async () => {
  const batches: string[][] = [];
  const { chain } = newChain([{ name: 'A', process: (batch) => void batches.push(batch.map(({ url }) => url)) }], { maxQueued: 1000 });
  const urls = Array.from({ length: 450 }, (_, i) => String(i));
  for (const url of urls) void chain.push(exchangeCapture(url));
  await chain.close();
  assert.deepEqual(
    batches.map(({ length }) => length),
    [200, 200, 50],
  );
  assert.deepEqual(batches.flat(), urls);
});

test('a full queue asks to wait, until there is room again', async () => {
  const slow = gate();
  const { chain } = newChain([slow.processor], { maxQueued: 3 });
  assert.equal(chain.push(exchangeCapture('1')), undefined);
  await slow.batch(1);
  assert.equal(chain.push(exchangeCapture('2')), undefined);
  assert.equal(chain.push(exchangeCapture('3')), undefined);
  const waits = [chain.push(exchangeCapture('4')), chain.push(exchangeCapture('5'))];
  assert.equal(chain.queued, 4);
  let room = 0;
  for (const wait of waits) void wait?.then(() => room++);
  await new Promise(setImmediate);
  assert.equal(room, 0);
  slow.open();
  await slow.batch(2);
  for (const wait of waits) await wait;
  assert.equal(room, 2);
  slow.open();
  await chain.close();
});

test('each processor tells what is before it', async () => {
  const slow = gate('Slow');
  const { chain } = newChain([{ name: 'First', process: () => undefined }, slow.processor]);
  void chain.push(exchangeCapture('1'));
  void chain.push(exchangeCapture('2'));
  await slow.batch(1);
  void chain.push(exchangeCapture('3'));
  assert.deepEqual(
    chain.processors.map(({ name, queued }) => [name, queued]),
    [
      ['First', 1],
      ['Slow', 2],
    ],
  );
  assert.equal(chain.oldest?.url, '1');
  slow.open();
  await slow.batch(2);
  slow.open();
  await chain.close();
  assert.equal(chain.oldest, undefined);
});

test('a processor that throws is counted, and the batch goes on', async () => {
  const messages: string[] = [];
  const after: string[] = [];
  const { chain, done } = newChain(
    [
      {
        name: 'Bad',
        process: () => {
          throw new Error('no good');
        },
      },
      { name: 'After', process: (batch) => void after.push(...batch.map(({ url }) => url)) },
    ],
    { log: { ...silentLog, error: (_fields, message) => messages.push(message) } },
  );
  void chain.push(exchangeCapture('1'));
  await chain.close();
  assert.deepEqual(messages, ['processor Bad failed: no good']);
  assert.deepEqual([after, done], [['1'], ['1']]);
  assert.equal(chain.errors, 1);
});

test('after a fatal error nothing is processed any more, what waits is let go of in silence, and closing still ends', async () => {
  const fatal: string[] = [];
  const after: string[] = [];
  const logged: string[] = [];
  const { chain } = newChain(
    [
      { name: 'Disk', process: () => Promise.reject(new Error('full')) },
      { name: 'After', process: (batch) => void after.push(...batch.map(({ url }) => url)) },
    ],
    {
      isFatal: () => true,
      onFatal: (error) => fatal.push(error.message),
      log: { ...silentLog, error: (_, message) => logged.push(message) },
    },
  );
  // Several batches of them.
  const captures = Array.from({ length: 500 }, (_, index) => exchangeCapture(String(index)));
  for (const capture of captures) void chain.push(capture);
  await chain.settled();
  const late = exchangeCapture('late');
  assert.equal(chain.push(late), undefined);
  await chain.close();
  assert.deepEqual([fatal, after, logged], [['full'], [], []]);
  for (const { response } of [...captures, late]) assert.deepEqual(response.bytes.memory, []);
});

test('a capture is let go of when it has left the chain', async () => {
  let size = 0;
  const { chain } = newChain([], {
    done: (capture) => (size = capture.kind === 'exchange' ? Buffer.concat([...(capture.response.bytes.memory ?? [])]).length : 0),
  });
  const capture = exchangeCapture('1');
  void chain.push(capture);
  await chain.close();
  assert.ok(size > 0);
  assert.deepEqual(capture.response.bytes.memory, []);
  assert.deepEqual(capture.request.bytes.memory, []);
});

test('settled() waits for what is in the chain now', async () => {
  const slow = gate();
  const { chain, done } = newChain([slow.processor]);
  assert.equal(chain.settled(), undefined);
  void chain.push(exchangeCapture('1'));
  const settled = chain.settled();
  await slow.batch(1);
  void chain.push(exchangeCapture('2'));
  slow.open();
  await settled;
  assert.deepEqual(done, ['1']);
  await slow.batch(2);
  slow.open();
  await chain.close();
  assert.equal(chain.settled(), undefined);
});

test('closing closes the processors, in their order, after the last batch', async () => {
  const events: string[] = [];
  const processor = (name: string): Processor => ({
    name,
    process: () => void events.push(name),
    close: () => {
      events.push(`close ${name}`);
      return Promise.resolve();
    },
  });
  const { chain } = newChain([processor('A'), processor('B')]);
  void chain.push(exchangeCapture('1'));
  await chain.close();
  assert.deepEqual(events, ['A', 'B', 'close A', 'close B']);
});

test('what a step holds back comes to it again, and goes on, when the rest has gone to the end', async () => {
  const seen: string[] = [];
  const note = (name: string): Processor => ({ name, process: (batch) => void seen.push(name + batch.map(({ url }) => url).join('')) });
  /** Lets the first of those go that it has not seen yet. */
  let held: readonly Capture[] = [];
  const oneByOne: Processor = {
    name: 'H',
    get held() {
      return held;
    },
    process(batch) {
      seen.push(`H${batch.map(({ url }) => url).join('')}`);
      held = batch.slice(1);
    },
  };
  const { chain, done } = newChain([note('A'), oneByOne, note('B')]);
  for (const url of ['1', '2', '3']) void chain.push(exchangeCapture(url));
  await chain.settled();
  assert.deepEqual(seen, ['A123', 'H123', 'B1', 'H23', 'B2', 'H3', 'B3']);
  assert.deepEqual(done, ['1', '2', '3']);
});

test('where all are held back no later step sees an empty batch', async () => {
  const seen: number[] = [];
  let rounds = 0;
  let held: readonly Capture[] = [];
  const twice: Processor = {
    name: 'H',
    get held() {
      return held;
    },
    process: (batch) => void (held = rounds++ < 2 ? batch : []),
  };
  const { chain } = newChain([twice, { name: 'B', process: (batch) => void seen.push(batch.length) }]);
  void chain.push(exchangeCapture('1'));
  void chain.push(exchangeCapture('2'));
  await chain.close();
  assert.deepEqual([rounds, seen], [3, [2]]);
});
