/** The part of the road that all requests take: gate, still open?, then a record or a fetch. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import type { Capture, CustomRecordCapture } from '../../src/capture/capture.ts';
import { releaseCapture } from '../../src/capture/kinds.ts';
import { Admission } from '../../src/fetch/admission.ts';
import { OriginPool } from '../../src/fetch/pool.ts';
import { plainAnswer } from '../../src/http/answer.ts';
import { FetchError } from '../../src/http/fetch-error.ts';
import { fieldOf, Fields } from '../../src/http/fields.ts';
import { NO_META } from '../../src/meta/meta.ts';
import { createPassage, type Passage, type Wanted } from '../../src/proxy/passage.ts';
import type { Gate, Verdict } from '../../src/proxy/gate.ts';
import { FakeClient } from '../support/client-side.ts';
import { outgoingRequest } from '../support/outgoing.ts';

const PASSED: Verdict = { meta: NO_META, refusal: undefined };
const REFUSED: Verdict = { meta: NO_META, refusal: plainAnswer(420, 'Reached limit') };
const FETCH = { kind: 'fetch', outgoing: { ...outgoingRequest(), fields: new Fields([fieldOf('Referer', 'http://b/')]) } } satisfies Wanted;
const RECORD: Wanted = {
  kind: 'record',
  fields: new Fields([]),
  draft: { method: 'PUTMETA', url: 'urn:x', warcType: 'metadata', contentType: 'text/plain', referer: undefined },
};
const recording = { digest: { algorithm: 'sha1', base32: false }, spool: { maxMemoryBytes: 1_000_000, dir: tmpdir() } } as const;

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

interface Road {
  readonly passage: Passage;
  readonly admission: Admission;
  /** what happened behind the client, in order */
  readonly happened: string[];
  readonly captures: Capture[];
  /** fail the fetch that was begun first among those that run */
  end(): Promise<void>;
  noSpace: boolean;
}

/** A passage for one fetch at a time; each connects until it is ended. */
function road(judge: Gate['judge'] = () => PASSED): Road {
  const happened: string[] = [];
  const captures: Capture[] = [];
  const running: ((error: FetchError) => void)[] = [];
  const services = { recording, now: () => new Date(0), newRecordId: () => '<urn:uuid:0>' };
  const admission = new Admission(
    {
      ...services,
      connect: ({ host }) => {
        happened.push(`connect ${host}`);
        return new Promise((_resolve, reject) => running.push(reject));
      },
      pool: new OriginPool(1),
      sink: (capture) => void captures.push(capture),
      maxResourceBytes: 0,
      finishAbandoned: 'small',
      minRate: { bytesPerSecond: 0, windowMs: 1000 },
    },
    {
      maxExchanges: 1,
      fetchTimeoutMs: 0,
      noSpace: () => {
        if (happened.at(-1) !== 'closed?') happened.push('closed?');
        return made.noSpace ? 'too little space' : undefined;
      },
    },
  );
  const record = (capture: CustomRecordCapture) => {
    captures.push(capture);
    releaseCapture(capture);
    return Promise.resolve();
  };
  const gate: Gate = {
    judge: (fields, url, gone) => {
      happened.push(`gate ${url}`);
      return judge(fields, url, gone);
    },
  };
  const made: Road = {
    passage: createPassage({ gate, admission, records: { ...services, record }, warcPrefix: 'X', warcDate: () => 'DATE' }),
    admission,
    happened,
    captures,
    end: async () => {
      running.shift()?.(new FetchError('not-connected', 'nobody there'));
      await settle();
    },
    noSpace: false,
  };
  return made;
}

/** Send it, and see what its client is told at once. */
function send(on: Road, wanted: Wanted = FETCH): FakeClient {
  const client = new FakeClient();
  on.passage(wanted, client);
  return client;
}

const FETCHED = ['gate http://a/', 'closed?', 'connect a'];

test('a fetch passes the gate, then whether the proxy is open, then it is begun and served', async () => {
  const open = road();
  const client = send(open);
  assert.deepEqual([open.happened, client.told], [FETCHED, ['serve']]);
  await open.end();
  assert.deepEqual(client.told, ['serve', 'fail not-connected']);
});

test('what is captured is what was wanted: its Referer, prefix and record id', async () => {
  const meta = { ...NO_META, warcPrefix: 'OWN' };
  const [plain, own] = [road(), road(() => ({ ...PASSED, meta }))];
  send(plain);
  send(own, { ...FETCH, recordId: '<urn:uuid:7>' });
  await Promise.all([plain.end(), own.end()]);
  const kept = ({ captures: [capture] }: Road) => [capture?.url, capture?.referer, capture?.warcPrefix, capture?.recordId];
  assert.deepEqual(kept(plain), ['http://a/', 'http://b/', 'X', '<urn:uuid:0>']);
  assert.deepEqual(kept(own), ['http://a/', 'http://b/', 'OWN', '<urn:uuid:7>']);
  assert.equal(own.captures[0]?.meta, meta);
});

test('a record passes the gate and whether the proxy is open, asks for its body, and reaches no origin', async () => {
  const open = road();
  const client = send(open, RECORD);
  assert.deepEqual(
    [open.happened, client.told],
    [
      ['gate urn:x', 'closed?'],
      ['askForBody', 'serve'],
    ],
  );
  client.served?.write(Buffer.from('x'), [Buffer.from('x')]);
  client.served?.endRequest();
  await settle();
  assert.deepEqual(
    open.captures.map(({ kind, url, warcPrefix }) => [kind, url, warcPrefix]),
    [['custom', 'urn:x', 'X']],
  );
  assert.equal(client.answers.length, 1);
});

for (const wanted of [FETCH, RECORD]) {
  for (const [when, verdict] of [
    ['at once', REFUSED],
    ['later', Promise.resolve(REFUSED)],
  ] as const) {
    test(`a ${wanted.kind} that is refused ${when} is told so, its connection ends, and nothing is asked any further`, async () => {
      const closed = road(() => verdict);
      closed.noSpace = true;
      const client = send(closed, wanted);
      await settle();
      assert.deepEqual(client.answers, [{ answer: REFUSED.refusal, last: true }]);
      assert.deepEqual([closed.happened.length, closed.captures], [1, []]);
    });
  }

  test(`a ${wanted.kind} that comes while the proxy is closed fails with the reason`, () => {
    const full = road();
    full.noSpace = true;
    assert.deepEqual(send(full, wanted).told, ['fail no-space']);
    const stopping = road();
    stopping.admission.close('the disk is on fire');
    const [failure] = send(stopping, wanted).failures;
    assert.deepEqual([failure?.code, failure?.message], ['shutting-down', 'the disk is on fire']);
    assert.deepEqual([...full.captures, ...stopping.captures], []);
  });
}

test('a fetch for which there is no room is not begun nor served before there is', async () => {
  const one = road();
  send(one);
  const waiting = send(one);
  assert.deepEqual([waiting.told, one.admission.waiting], [[], 1]);
  await one.end();
  assert.deepEqual([waiting.told, one.admission.waiting, one.admission.active], [['serve'], 0, 1]);
});

test('a fetch that has waited fails if the proxy has closed in the meantime', async () => {
  const one = road();
  send(one);
  const waiting = send(one);
  one.noSpace = true;
  await one.end();
  assert.deepEqual(waiting.told, ['fail no-space']);
  assert.equal(one.admission.active, 0);
});

test('a fetch whose client leaves while it waits is never begun, and those behind it move up', async () => {
  const one = road();
  send(one);
  const [leaving, next] = [send(one), send(one)];
  leaving.leave();
  assert.equal(one.admission.waiting, 1);
  await one.end();
  assert.deepEqual([leaving.told, next.told], [[], ['serve']]);
  assert.equal(one.captures.length, 1);
});

test('a client whose fetches have waited is not waited for any more', async () => {
  const one = road();
  const client = new FakeClient();
  for (let i = 0; i < 5; i++) {
    send(one);
    one.passage(FETCH, client);
    await one.end();
    await one.end();
  }
  assert.equal(client.failures.length, 5);
  assert.equal(getEventListeners(client.untilGone(), 'abort').length, 0);
});

for (const wanted of [FETCH, RECORD]) {
  test(`a ${wanted.kind} whose client has left before the verdict is dropped, whatever the verdict`, async () => {
    for (const verdict of [PASSED, REFUSED]) {
      const open = road(() => Promise.resolve(verdict));
      const client = send(open, wanted);
      client.leave();
      await settle();
      assert.deepEqual([client.told, open.happened.length, open.admission.active], [[], 1, 0]);
    }
  });
}

test('a verdict may take its time, and is told when its client leaves', async () => {
  const signals: AbortSignal[] = [];
  const open = road((_fields, _url, gone) => {
    signals.push(gone());
    return settle().then(() => PASSED);
  });
  const client = send(open);
  assert.deepEqual([client.told, open.happened.length], [[], 1]);
  await settle();
  await settle();
  assert.deepEqual(client.told, ['serve']);
  const aborted = () => signals.map((signal) => signal.aborted);
  assert.deepEqual(aborted(), [false]);
  client.leave();
  assert.deepEqual(aborted(), [true]);
});

for (const [when, judge] of [
  [
    'at once',
    () => {
      throw new TypeError('boom');
    },
  ],
  ['later', () => Promise.reject(new TypeError('boom'))],
] as const) {
  test(`a gate that fails ${when} is a fault: nobody passes, nothing is thrown, and the client is told`, async () => {
    const broken = road(judge);
    const client = send(broken);
    await settle();
    assert.deepEqual([client.told, broken.happened.length], [['refuse boom'], 1]);
    assert.ok(client.refused[0] instanceof TypeError);
  });
}
