/** What every dedup index keeps to, whatever holds it. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { dedupKey, type DedupIndex, type DedupStore, type Published, type Standing, type Wanted } from '../../../src/store/dedup.ts';
import { isLost } from '../../../src/store/place.ts';

export function original(name: string, file = 'A.warc', offset = 0): Published {
  return {
    key: dedupKey('sha1:aa', name),
    original: { recordId: `<urn:uuid:${name}>`, url: `http://a.example/${name}`, date: '2024-01-02T03:04:05.678Z' },
    place: { file, offset },
  };
}

export function wanted(keys: readonly string[], claims = true): Wanted[] {
  return keys.map((key) => ({ key, claims }));
}

export function look(keys: readonly string[]): Wanted[] {
  return wanted(keys, false);
}

/** @param open a store with nothing in it */
export function dedupContract(name: string, open: (t: TestContext) => Promise<DedupStore>): void {
  const holders = async (t: TestContext): Promise<{ store: DedupStore; a: DedupIndex; b: DedupIndex }> => {
    const store = await open(t);
    return { store, a: store.holder(), b: store.holder() };
  };

  test(`${name}: what was published is found under its digest and bucket, and nothing else is`, async (t) => {
    const { a, b } = await holders(t);
    const originals = ['', 'b', 'b|c', '|', 'Ведро', ' '].map((each) => original(each));
    await a.publish(originals);
    for (const index of [a, b]) {
      const keys = [...originals.map(({ key }) => key), dedupKey('sha1:aa', 'c'), dedupKey('sha1:a', 'a|b')];
      assert.deepEqual(await index.claim(look(keys)), [...originals.map((each) => each.original), undefined, undefined]);
    }
  });

  test(`${name}: a payload that is whole and the same that is cut have originals of their own`, async (t) => {
    const { a, b } = await holders(t);
    const digest = 'sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709';
    const originals = [digest, `${digest}/length`, `${digest}/time`, `${digest}/disconnect`].flatMap((payload, nth) =>
      ['', 'a/b|c'].map((bucket) => ({ ...original(`${nth}${bucket}`), key: dedupKey(payload, bucket) })),
    );
    await a.publish(originals);
    const found = originals.map((each) => each.original);
    for (const index of [a, b]) assert.deepEqual(await index.claim(look(originals.map(({ key }) => key))), found);
  });

  test(`${name}: what the original answered is kept, and may be unknown`, async (t) => {
    const { a, b } = await holders(t);
    const { original: unknown, ...parts } = original('b');
    const answered = { ...parts, key: dedupKey('sha1:bb', ''), original: { ...unknown, answer: '302 /sch\xf6n' } };
    await a.publish([{ ...parts, original: unknown }, answered]);
    for (const index of [a, b]) assert.deepEqual(await index.claim(look([parts.key, answered.key])), [unknown, answered.original]);
  });

  test(`${name}: of two who claim the first wins, the second is told that it is held`, async (t) => {
    const { a, b } = await holders(t);
    assert.deepEqual(await a.claim(wanted(['1', '2'])), ['won', 'won']);
    assert.deepEqual(await b.claim(wanted(['2', '3'])), ['held', 'won']);
    assert.deepEqual(await a.claim(wanted(['1', '2', '3'])), ['won', 'won', 'held']);
  });

  test(`${name}: a key that stands more than once in a batch gets the same answer each time`, async (t) => {
    const { a, b } = await holders(t);
    assert.deepEqual(await a.claim(wanted(['1', '1', '2', '1'])), ['won', 'won', 'won', 'won']);
    assert.deepEqual(await b.claim(wanted(['1', '1'])), ['held', 'held']);
    assert.deepEqual(await b.claim([...look(['3']), ...wanted(['3']), ...look(['3'])]), [undefined, 'won', undefined]);
  });

  test(`${name}: who only looks claims nothing, and sees what others hold`, async (t) => {
    const { a, b } = await holders(t);
    assert.deepEqual(await a.claim(look(['1'])), [undefined]);
    assert.deepEqual(await b.claim(wanted(['1'])), ['won']);
    assert.deepEqual(await a.claim(look(['1'])), ['held']);
    assert.deepEqual(await b.claim(look(['1'])), [undefined]);
  });

  test(`${name}: what is published is known to all, and held no more`, async (t) => {
    const { a, b } = await holders(t);
    const published = original('b');
    await a.claim(wanted([published.key]));
    await a.publish([published]);
    for (const index of [a, b]) assert.deepEqual(await index.claim(wanted([published.key])), [published.original]);
  });

  test(`${name}: what is released another may win, and only what one holds can be released`, async (t) => {
    const { a, b } = await holders(t);
    await a.claim(wanted(['1', '2']));
    await b.release(['1', '2', '3']);
    assert.deepEqual(await b.claim(wanted(['1', '2'])), ['held', 'held']);
    await a.release(['1', '3']);
    assert.deepEqual(await b.claim(wanted(['1', '2'])), ['won', 'held']);
    await a.release(['1']);
    assert.deepEqual(await a.claim(wanted(['1'])), ['held']);
  });

  test(`${name}: the claims of one who closes lapse`, async (t) => {
    const { a, b } = await holders(t);
    await a.claim(wanted(['1', '2']));
    await b.claim(wanted(['3']));
    await a.close();
    assert.deepEqual(await b.claim(wanted(['1', '2', '3'])), ['won', 'won', 'won']);
  });

  test(`${name}: what another holds cannot be published over it`, async (t) => {
    const { a, b } = await holders(t);
    const published = original('b');
    const other = { ...published, original: { ...published.original, recordId: '<urn:uuid:other>' } };
    await a.claim(wanted([published.key]));
    await b.publish([other, original('c')]);
    assert.deepEqual(await b.claim(wanted([published.key])), ['held']);
    await a.publish([published]);
    assert.deepEqual(await b.claim(wanted([published.key, original('c').key])), [published.original, original('c').original]);
  });

  test(`${name}: who waits for what others hold waits until one of it is published, released, or its holder is gone`, async (t) => {
    const { store, a, b } = await holders(t);
    const c = store.holder();
    const keys = ['0', '1', '2', '3'].map((nth) => original(nth).key);
    await a.claim(wanted(keys.slice(0, 3)));
    await c.claim(wanted(keys.slice(3)));
    const woken: string[] = [];
    const waitFor = async (what: string, waited: readonly string[]) => {
      await b.freed(waited);
      woken.push(what);
    };
    const published = waitFor('published', [keys[3]!, keys[0]!]);
    const released = waitFor('released', [keys[1]!]);
    const closed = waitFor('closed', [keys[2]!]);
    await waitFor('nothing', []);
    await waitFor('free', ['sha1:free|']);
    assert.deepEqual(woken, ['nothing', 'free']);
    await a.publish([original('0')]);
    await published;
    assert.deepEqual(await b.claim(wanted(keys)), [original('0').original, 'held', 'held', 'held']);
    await a.release([keys[1]!]);
    await released;
    assert.deepEqual(await b.claim(wanted(keys)), [original('0').original, 'won', 'held', 'held']);
    await b.freed([keys[2]!, keys[1]!]);
    await a.close();
    await closed;
    assert.deepEqual(await b.claim(wanted(keys)), [original('0').original, 'won', 'won', 'held']);
    assert.deepEqual(woken, ['nothing', 'free', 'published', 'released', 'closed']);
  });

  test(`${name}: of many who claim at once each key is won by one`, async (t) => {
    const store = await open(t);
    const indexes = Array.from({ length: 5 }, () => store.holder());
    const keys = Array.from({ length: 100 }, (_, nth) => original(String(nth)).key);
    const known = original('7');
    await indexes[0]!.publish([known]);
    const asked = indexes.map(async (index, nth) => index.claim(wanted([...keys.slice(nth * 20), ...keys.slice(0, nth * 20)])));
    const answers = await Promise.all(asked);
    for (const [nth, key] of keys.entries()) {
      const standings = answers.map((each, by) => each[(nth - by * 20 + keys.length) % keys.length]);
      if (key === known.key) assert.deepEqual(standings, Array(5).fill(known.original));
      else assert.deepEqual(standings.toSorted(), ['held', 'held', 'held', 'held', 'won']);
    }
  });

  test(`${name}: whatever the order of claim, publish and release, nothing has two originals`, async (t) => {
    let seed = 4711;
    const random = (below: number) => {
      seed = (seed * 48271) % 2147483647;
      return seed % below;
    };
    const store = await open(t);
    const writers = Array.from({ length: 4 }, () => store.holder());
    const written = new Map<string, string>();
    const work = async (index: DedupIndex, by: number) => {
      for (let step = 0; step < 100; step++) {
        const keys = [...new Set(Array.from({ length: 5 }, () => `sha1:${random(60)}|`))];
        const standings: readonly Standing[] = await index.claim(wanted(keys));
        const won = keys.filter((_, nth) => standings[nth] === 'won');
        for (const [nth, standing] of standings.entries()) {
          if (typeof standing === 'object') assert.equal(standing.recordId, written.get(keys[nth]!));
        }
        if (random(3) === 0) await new Promise(setImmediate);
        if (random(4) === 0) await index.release(won);
        else {
          for (const key of won) {
            assert.equal(written.get(key), undefined, `${key} is written twice`);
            written.set(key, `<urn:uuid:${by}-${step}>`);
          }
          const { place } = original('');
          const of = (key: string) => ({ recordId: written.get(key)!, url: 'http://a.example/', date: '2024-01-02T03:04:05.678Z' });
          await index.publish(won.map((key) => ({ key, original: of(key), place })));
        }
      }
    };
    await Promise.all(writers.map(work));
    assert.ok(written.size > 40);
  });

  test(`${name}: entries whose records are lost are dropped, and no others`, async (t) => {
    const { store, a } = await holders(t);
    const originals = Array.from({ length: 2500 }, (_, index) => original(String(index), index % 2 === 0 ? 'A.warc' : 'B.warc', index));
    await a.publish(originals);
    const lost = { ends: new Map([['A.warc', 100]]), unknown: new Set<string>() };
    assert.equal(await store.drop(lost), 1200);
    const found = await a.claim(look(originals.map(({ key }) => key)));
    assert.deepEqual(
      found,
      originals.map((each) => (isLost(each.place, lost) ? undefined : each.original)),
    );
    assert.equal(await store.drop(lost), 0);
  });
}
