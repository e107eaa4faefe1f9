/** Policies: the built-in ones, their life, and the texts of what is wrong with one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, equals, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  PatternMatch,
  PolicyRobotsTxt_Usage as Usage,
  PolicySchema,
  PolicyUrlRule_Action as Action,
} from '../../../src/crawl/proto/starbelly_pb.ts';
import { goodPolicy } from '../support/policies.ts';
import { crawlServer, newFolder } from '../support/server.ts';

test('a fresh server has two policies, with these values', async (t) => {
  const { client } = await crawlServer(t);
  const asking = await client();
  const { policies, total } = await asking.get({ case: 'listPolicies', value: {} }, 'listPolicies');
  assert.deepEqual([total, ...policies.map(({ name }) => name)], [2, 'Broad Crawl', 'Deep Crawl']);
  assert.deepEqual(
    policies.map((policy) => Object.keys(policy).sort()),
    [
      ['$typeName', 'createdAt', 'mimeTypeRules', 'name', 'policyId', 'proxyRules', 'updatedAt', 'urlRules', 'userAgents'],
      ['$typeName', 'createdAt', 'mimeTypeRules', 'name', 'policyId', 'proxyRules', 'updatedAt', 'urlRules', 'userAgents'],
    ],
  );
  const [broad, deep] = await Promise.all(policies.map(({ policyId }) => asking.get({ case: 'getPolicy', value: { policyId } }, 'policy')));
  const alike = {
    mimeTypeRules: [{ pattern: '^text/', match: PatternMatch.MATCHES, save: true }, { save: false }],
    proxyRules: [{}],
    robotsTxt: { usage: Usage.OBEY },
    urlNormalization: { enabled: true, stripParameters: ['JSESSIONID', 'PHPSESSID', 'sid'] },
    userAgents: broad!.userAgents,
  };
  assert.match(broad!.userAgents[0]!.name, /^warctap\/\{VERSION\} /);
  const { policyId, createdAt, updatedAt } = broad!;
  assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$/);
  const expected = create(PolicySchema, {
    ...alike,
    policyId,
    createdAt,
    updatedAt,
    name: 'Broad Crawl',
    authentication: { enabled: false },
    limits: { maxItems: 1_000_000, maxCost: 3 },
    urlRules: [{ action: Action.ADD, amount: 1 }],
  });
  assert.ok(equals(PolicySchema, broad!, expected));
  const expectedDeep = create(PolicySchema, {
    ...alike,
    policyId: deep!.policyId,
    createdAt: deep!.createdAt,
    updatedAt: deep!.updatedAt,
    name: 'Deep Crawl',
    authentication: { enabled: true },
    limits: { maxCost: 10 },
    urlRules: [
      { pattern: '^https?://({SEED_DOMAINS})/', match: PatternMatch.MATCHES, action: Action.ADD, amount: 1 },
      { action: Action.MULTIPLY, amount: 0 },
    ],
  });
  assert.ok(equals(PolicySchema, deep!, expectedDeep));
});

test('a policy is made, replaced as a whole, deleted, and there again after a restart with fields that are not known', async (t) => {
  const folder = newFolder(t);
  const { program, client } = await crawlServer(t, undefined, { folder });
  const asking = await client();
  // field 900, a text
  const withUnknown = fromBinary(PolicySchema, Buffer.concat([toBinary(PolicySchema, goodPolicy()), Buffer.from([0xa2, 0x38, 1, 0x78])]));
  Object.assign(withUnknown, { createdAt: 'never', updatedAt: 'never' });
  const { policyId } = await asking.get({ case: 'setPolicy', value: { policy: withUnknown } }, 'newPolicy');
  assert.equal(policyId.length, 16);
  const made = await asking.get({ case: 'getPolicy', value: { policyId } }, 'policy');
  assert.notEqual(made.createdAt, 'never');
  await asking.done({ case: 'setPolicy', value: { policy: goodPolicy({ policyId, name: 'Other', limits: { maxCost: 7 } }) } });
  const changed = await asking.get({ case: 'getPolicy', value: { policyId } }, 'policy');
  assert.deepEqual([changed.name, changed.limits?.maxCost, changed.createdAt], ['Other', 7, made.createdAt]);
  await asking.done({ case: 'setPolicy', value: { policy: { ...withUnknown, policyId } } });
  await asking.close();
  await program.close();

  const again = await (await crawlServer(t, undefined, { folder })).client();
  const kept = await again.get({ case: 'getPolicy', value: { policyId } }, 'policy');
  assert.deepEqual(
    kept.$unknown?.map(({ no }) => no),
    [900],
  );
  await again.done({ case: 'deletePolicy', value: { policyId } });
  const hex = Buffer.from(policyId).toString('hex');
  const uuid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  assert.equal(await again.refused({ case: 'getPolicy', value: { policyId } }), `No policy exists with ID=${uuid}`);
  assert.equal(await again.refused({ case: 'setPolicy', value: { policy: goodPolicy({ policyId }) } }), `No policy exists with ID=${uuid}`);
});

test('what is wrong with a policy is told, and the list stays as it is', async (t) => {
  const { client } = await crawlServer(t);
  const asking = await client();
  const mime = goodPolicy().mimeTypeRules;
  const urls = goodPolicy().urlRules;
  const M = PatternMatch.MATCHES;
  const wrong: [change: Parameters<typeof goodPolicy>[0], text: string][] = [
    [{ name: ' ' }, 'Policy name cannot be blank.'],
    [{ limits: { maxDuration: -1 } }, 'Max duration must be ≥0.'],
    [{ limits: { maxItems: -1 } }, 'Max items must be ≥0.'],
    [{ mimeTypeRules: [] }, 'At least one MIME type rule is required.'],
    [{ mimeTypeRules: [{ match: M, save: true }, mime[1]!] }, 'Pattern is required in MIME type rule #1.'],
    [{ mimeTypeRules: [{ pattern: 'a', match: M }, mime[1]!] }, 'Save selector is required in MIME type rule #1.'],
    [{ mimeTypeRules: [mime[0]!, { pattern: 'a', save: true }, mime[1]!] }, 'Match selector is required in MIME type rule #2.'],
    [{ mimeTypeRules: [{ pattern: '(', match: M, save: true }, mime[1]!] }, 'Invalid regular expression in MIME type rule #1.'],
    [{ mimeTypeRules: [{}] }, 'Save selector is required in last MIME type rule.'],
    [{ mimeTypeRules: [{ save: true, pattern: 'a' }] }, 'Pattern is not allowed in last MIME type rule.'],
    [{ mimeTypeRules: [{ save: true, match: M }] }, 'Match selector is not allowed in last MIME type rule.'],
    [{ proxyRules: [{ match: M, proxyUrl: 'http://p:1' }, {}] }, 'Pattern is required in proxy rule #1.'],
    [{ proxyRules: [{ pattern: '[', match: M, proxyUrl: 'http://p:1' }, {}] }, 'Invalid regular expression in proxy rule #1.'],
    [{ proxyRules: [{ pattern: 'a', proxyUrl: 'http://p:1' }, {}] }, 'Match selector is required in proxy rule #1.'],
    [{ proxyRules: [{ pattern: 'a', match: M }, {}] }, 'Proxy URL is required in proxy rule #1.'],
    [{ proxyRules: [{ pattern: 'a' }] }, 'Pattern is not allowed in last proxy rule.'],
    [
      { proxyRules: [{ proxyUrl: 'ftp://p:1' }] },
      'Must have a valid URL with one of the following schemes: http, https, socks4, socks4a, socks5 in last proxy rule.',
    ],
    [{ urlRules: [] }, 'At least one URL rule is required.'],
    [{ urlRules: [{ match: M, action: Action.ADD, amount: 1 }, urls[1]!] }, 'Pattern is required in URL rule #1.'],
    [{ urlRules: [{ pattern: 'a', action: Action.ADD, amount: 1 }, urls[1]!] }, 'Match selector is required in URL rule #1.'],
    [{ urlRules: [{ pattern: 'a', match: M, amount: 1 }, urls[1]!] }, 'Action selector is required in URL rule #1.'],
    [{ urlRules: [{ pattern: 'a', match: M, action: Action.ADD }, urls[1]!] }, 'Amount is required in URL rule #1.'],
    [{ urlRules: [{ pattern: '*', match: M, action: Action.ADD, amount: 1 }, urls[1]!] }, 'Invalid regular expression in URL rule #1.'],
    [{ urlRules: [{ pattern: 'a', action: Action.ADD, amount: 1 }] }, 'Pattern is not allowed in last URL rule.'],
    [{ urlRules: [{ match: M, action: Action.ADD, amount: 1 }] }, 'Match is not allowed in last URL rule.'],
    [{ urlRules: [{ amount: 1 }] }, 'Action is required in last URL rule.'],
    [{ urlRules: [{ action: Action.ADD }] }, 'Amount is required in last URL rule.'],
    [{ userAgents: [] }, 'At least one user agent is required.'],
    [{ userAgents: [{ name: 'a' }, { name: ' ' }] }, 'Name is required in User agent #2.'],
  ];
  for (const [change, text] of wrong) {
    assert.equal(await asking.refused({ case: 'setPolicy', value: { policy: goodPolicy(change) } }), text);
  }
  const policy = goodPolicy();
  policy.robotsTxt = undefined;
  assert.equal(await asking.refused({ case: 'setPolicy', value: { policy } }), 'Robots.txt usage is required.');
  assert.equal((await asking.get({ case: 'listPolicies', value: {} }, 'listPolicies')).total, 2);
});
