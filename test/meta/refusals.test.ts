import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BucketStats } from '../../src/meta/limits.ts';
import { blockRefusal, limitRefusal, softLimitRefusal } from '../../src/meta/refusals.ts';

const stats: BucketStats = {
  bucket: 'test_limits_bucket',
  total: { urls: 10, wire_bytes: 15840 },
  new: { urls: 0, wire_bytes: 0 },
  revisit: { urls: 10, wire_bytes: 15840 },
};
const reached = { key: 'test_limits_bucket/total/urls', value: 10, bucket: 'test_limits_bucket', stats };
const STATS =
  '"stats":{"test_limits_bucket":{"bucket":"test_limits_bucket","total":{"urls":10,"wire_bytes":15840},"new":{"urls":0,"wire_bytes":0},"revisit":{"urls":10,"wire_bytes":15840}}}';

describe('a refusal', () => {
  test('for a limit is the one of the API document', () => {
    const refusal = limitRefusal(reached);
    assert.deepEqual(refusal, {
      status: 420,
      reason: 'Reached limit',
      body: 'request rejected by warcprox: reached limit test_limits_bucket/total/urls=10\n',
      fields: [['Warcprox-Meta', `{${STATS},"reached-limit":{"test_limits_bucket/total/urls":10}}`]],
    });
    assert.equal(refusal.body.length, 77);
  });

  test('for a soft limit is the one of the API document', () => {
    const refusal = softLimitRefusal(reached);
    assert.deepEqual(refusal, {
      status: 430,
      reason: 'Reached soft limit',
      body: 'request rejected by warcprox: reached soft limit test_limits_bucket/total/urls=10\n',
      fields: [['Warcprox-Meta', `{${STATS},"reached-soft-limit":{"test_limits_bucket/total/urls":10}}`]],
    });
    assert.equal(refusal.body.length, 82);
  });

  test('for a block is the one of the API document', () => {
    const refusal = blockRefusal({ ssurt: 'com,example,//http:/' });
    assert.deepEqual(refusal, {
      status: 403,
      reason: 'Forbidden',
      body: 'request rejected by warcprox: blocked by rule found in Warcprox-Meta header: {"ssurt": "com,example,//http:/"}\n',
      fields: [['Warcprox-Meta', '{"blocked-by-rule":{"ssurt":"com,example,//http:/"}}']],
    });
    assert.equal(refusal.body.length, 111);
  });

  test('keeps the order of the rule, and ASCII', () => {
    const { body, fields } = blockRefusal({ substring: 'é\r\n😀', domain: 'x', exact: true });
    const rule = '"substring": "\\u00e9\\r\\n\\ud83d\\ude00", "domain": "x", "exact": true';
    assert.equal(body, `request rejected by warcprox: blocked by rule found in Warcprox-Meta header: {${rule}}\n`);
    assert.deepEqual(fields, [['Warcprox-Meta', `{"blocked-by-rule":{${rule.replaceAll(': ', ':').replaceAll(', ', ',')}}}`]]);
  });

  test('for a bucket with a strange name is still one line of ASCII', () => {
    for (const bucket of ['__proto__', 'b\r\nSet-Cookie: x', 'é', '1']) {
      const [[, value] = ['', '']] = limitRefusal({ key: `${bucket}/total/urls`, value: 1.5, bucket, stats: { ...stats, bucket } }).fields;
      assert.match(value, /^[ -~]+$/);
      const { stats: shown, 'reached-limit': limit } = JSON.parse(value) as Record<string, Record<string, unknown>>;
      assert.deepEqual(Object.entries(shown ?? {}), [[bucket, { ...stats, bucket }]]);
      assert.deepEqual(limit, { [`${bucket}/total/urls`]: 1.5 });
    }
  });
});
