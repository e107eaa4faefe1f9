import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bucketsOf } from '../../src/meta/buckets.ts';
import { reachedLimit, type BucketStats } from '../../src/meta/limits.ts';
import { parse } from './support.ts';

describe('the buckets of a URL', () => {
  const domains = { stats: { buckets: ['a', { bucket: 'b', 'tally-domains': ['foo.bar.com', 'Bücher.de', '192.168.10.20', 'com.'] }] } };
  const rows: [meta: object, url: string, buckets: string[]][] = [
    [{}, 'http://x/', ['__all__', '__unspecified__']],
    [{ stats: {} }, 'http://x/', ['__all__', '__unspecified__']],
    [{ stats: { buckets: [] } }, 'http://x/', ['__all__', '__unspecified__']],
    [{ stats: { buckets: ['a', 'b'] } }, 'http://x/', ['__all__', 'a', 'b']],
    [{ stats: { buckets: ['a', '__all__', 'a', { bucket: 'a' }] } }, 'http://x/', ['__all__', 'a']],
    [{ stats: { buckets: [{ bucket: 'a', 'tally-domains': null }] } }, 'http://x/', ['__all__', 'a']],
    [domains, 'http://example.org/', ['__all__', 'a', 'b']],
    [domains, 'http://foo.bar.com/', ['__all__', 'a', 'b', 'b:foo.bar.com', 'b:com']],
    [domains, 'http://x.FOO.bar.com:81/', ['__all__', 'a', 'b', 'b:foo.bar.com', 'b:com']],
    [domains, 'http://xfoo.bar.com/', ['__all__', 'a', 'b', 'b:com']],
    [domains, 'http://www.xn--bcher-kva.de/', ['__all__', 'a', 'b', 'b:xn--bcher-kva.de']],
    [domains, 'http://192.168.10.20/', ['__all__', 'a', 'b', 'b:192.168.10.20']],
    [domains, 'http://1.192.168.10.20/', ['__all__', 'a', 'b']],
    [domains, 'screenshot:http://foo.bar.com/', ['__all__', 'a', 'b']],
  ];
  for (const [meta, url, buckets] of rows) {
    test(`${JSON.stringify(meta)} ${url} → ${buckets.join()}`, () => assert.deepEqual(bucketsOf(parse(meta), url), buckets));
  }
});

describe('an invalid statistics bucket is skipped with a warning', () => {
  const rows: [entry: unknown, kept: object[], warning: string][] = [
    [5, [], 'stats.buckets[0]: skipped, expected a name or an object with "bucket", got 5'],
    [null, [], 'stats.buckets[0]: skipped, expected a name or an object with "bucket", got null'],
    [{}, [], 'stats.buckets[0]: skipped, expected a name or an object with "bucket", got an object'],
    [{ bucket: 1 }, [], 'stats.buckets[0]: skipped, expected a name or an object with "bucket", got an object'],
    [
      { bucket: 'b', 'tally-domains': 'x' },
      [{ name: 'b', tallyDomains: [] }],
      'stats.buckets[0].tally-domains: skipped, expected a list of domains, got "x"',
    ],
    [
      { bucket: 'b', 'tally-domains': [1, 'c'] },
      [{ name: 'b', tallyDomains: ['c'] }],
      'stats.buckets[0].tally-domains[0]: skipped, expected a domain, got 1',
    ],
  ];
  for (const [entry, kept, warning] of rows) {
    test(warning, () => {
      const meta = parse({ stats: { buckets: [entry, 'z'] } });
      assert.deepEqual(meta.statsBuckets, [...kept, { name: 'z', tallyDomains: [] }]);
      assert.deepEqual(meta.warnings, [warning]);
    });
  }
});

describe('limits', () => {
  const bucket = (name: string, urls: number): BucketStats => ({
    bucket: name,
    total: { urls, wire_bytes: 1000 },
    new: { urls: urls - 1, wire_bytes: 900 },
    revisit: { urls: 1, wire_bytes: 100 },
  });
  const stats = new Map(
    ['__all__', 'a', 'a/b', 'b', 'b:example.com', 'c', 'job:1234', '__unspecified__'].map((name) => [name, bucket(name, 10)]),
  );
  const buckets = { buckets: ['a', 'a/b', 'job:1234', { bucket: 'b', 'tally-domains': ['example.com'] }, 'unused'] };
  const rows: [limits: Record<string, number>, key: string | undefined][] = [
    [{}, undefined],
    [{ 'a/total/urls': 11 }, undefined],
    [{ 'a/total/urls': 10 }, 'a/total/urls'],
    [{ 'a/total/urls': 9.5 }, 'a/total/urls'],
    [{ 'a/total/urls': 10.5 }, undefined],
    [{ 'a/total/urls': 0 }, undefined],
    [{ 'a/total/urls': -1 }, undefined],
    [{ 'a/new/urls': 10 }, undefined],
    [{ 'a/new/wire_bytes': 900 }, 'a/new/wire_bytes'],
    [{ 'a/revisit/wire_bytes': 101 }, undefined],
    [{ 'a/b/total/urls': 1 }, 'a/b/total/urls'],
    [{ '__all__/total/urls': 1 }, '__all__/total/urls'],
    [{ '__unspecified__/total/urls': 1 }, undefined],
    [{ 'c/total/urls': 1 }, undefined],
    [{ 'unused/total/urls': 1 }, undefined],
    [{ 'b:example.com/total/urls': 1 }, 'b:example.com/total/urls'],
    [{ 'b:.EXAMPLE.com./total/urls': 1 }, 'b:example.com/total/urls'],
    [{ 'b:example.org/total/urls': 1 }, undefined],
    // Its own name, though 1234 could be read as an address.
    [{ 'job:1234/total/urls': 1 }, 'job:1234/total/urls'],
    [{ 'a/total/urls': 100, 'b/total/urls': 5, 'a/total/wire_bytes': 1 }, 'b/total/urls'],
    [{ 'a/old/urls': 1 }, undefined],
    [{ 'a/total/bytes': 1, 'a/total/urls': 1 }, 'a/total/urls'],
    [{ 'a/constructor/name': 1 }, undefined],
  ];
  for (const [limits, key] of rows) {
    for (const field of ['limits', 'softLimits'] as const) {
      test(`${field} ${JSON.stringify(limits)}: ${key === undefined ? 'none is reached' : `${key} is reached`}`, () => {
        const meta = parse({ stats: buckets, [field === 'limits' ? 'limits' : 'soft-limits']: limits });
        const reached = reachedLimit(meta[field], bucketsOf(meta, 'http://www.example.com/'), (name) => stats.get(name));
        assert.equal(reached?.key, key);
        assert.equal(reached?.stats, reached && stats.get(reached.bucket));
        if (key !== undefined) assert.equal(reached?.key.startsWith(`${reached.bucket}/`), true);
      });
    }
  }

  test('of __unspecified__ hold for requests without buckets', () => {
    const meta = parse({ limits: { '__unspecified__/total/urls': 10 } });
    assert.equal(reachedLimit(meta.limits, bucketsOf(meta, 'http://x/'), (name) => stats.get(name))?.value, 10);
  });

  test('of statistics that do not exist are named in a warning', () => {
    assert.deepEqual(parse({ limits: { 'a/total/url': 1 } }).warnings, [
      'limits: skipped, expected total|new|revisit/urls|wire_bytes behind the bucket, got "a/total/url"',
    ]);
  });
});
