/**
 * Any value of Warcprox-Meta, any URL, any regex: what may come of them.
 *
 * The laws: nothing is thrown but MetaError, with one printable line; the same value reads the same again; what was read can be asked
 * about any URL, in steps that end; URLs and hosts are never too strange, only what they are.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { bucketsOf } from '../../src/meta/buckets.ts';
import { canonicalise } from '../../src/url/canon.ts';
import { MetaError } from '../../src/meta/errors.ts';
import { RegexError } from '../../src/regex/errors.ts';
import { normalHost, opaqueHost } from '../../src/url/host.ts';
import { orderedEntries } from '../../src/meta/json.ts';
import { parseMeta } from '../../src/meta/parse.ts';
import { blockRefusal } from '../../src/meta/refusals.ts';
import { createRegexes, type Regexes } from '../../src/regex/regex.ts';
import { rawRule, ruleMatches } from '../../src/meta/rules.ts';
import { ssurt, surt } from '../../src/url/surt.ts';
import { joinUrl, splitUrl } from '../../src/url/url-parts.ts';
import { countSteps } from '../meta/support.ts';
import { COSTLY, META_TOKENS, METAS, URL_TOKENS } from './corpus/meta.ts';
import { fuzz, LONG, mutate, mutations, named, Tally } from './support.ts';

const PRINTABLE = /^[ -~…]+$/;
const URLS = ['http://example.com/calendar?b=1&a', 'https://bücher.example/%2e', 'urn:x', 'http://127.0.0.1:8080/foo bar'];

/** Small, so that programs and tables come and go. */
const someRegexes = (): Regexes => createRegexes({ maxBytes: 256 * 1024 });

function metaLaws(value: string, regexes: Regexes, tally: Tally): void {
  let meta;
  try {
    meta = parseMeta(value, regexes);
  } catch (error) {
    assert.ok(error instanceof MetaError, String(error));
    assert.match(error.message.replaceAll('…', ''), PRINTABLE);
    assert.throws(() => parseMeta(value, regexes), { message: error.message, code: error.code });
    return tally.add(`refused (${error.code})`);
  }
  tally.add('read');
  const again = parseMeta(value, regexes);
  const plain = ({ blocks, mimeTypeFilters, ...rest }: typeof meta) => ({
    ...rest,
    blocks: blocks.map(rawRule),
    filters: mimeTypeFilters.map(({ type, regex }) => `${type} ${regex.source}`),
  });
  assert.deepEqual(plain(again), plain(meta));
  for (const warning of meta.warnings) assert.match(warning.replaceAll('…', ''), PRINTABLE);
  for (const rule of meta.blocks) {
    for (const url of URLS) {
      if (ruleMatches(rule, url, URLS[0])) tally.add('rules that match');
    }
    const { body, fields } = blockRefusal(rawRule(rule));
    for (const line of [body.slice(0, -1), ...fields.map(([, text]) => text)]) assert.match(line, /^[ -~]*$/);
  }
  for (const { regex } of meta.mimeTypeFilters) countSteps(regex.match('image/png; charset=\xe4'));
  for (const url of URLS) bucketsOf(meta, url);
  // Prefixes become names of files.
  if (meta.warcPrefix !== undefined) assert.doesNotMatch(meta.warcPrefix, /[/\\\0-\x1f]/);
}

test('every seed is read, or refused, by these laws', () => {
  for (const seed of METAS) named(seed, () => metaLaws(seed.toString('latin1'), someRegexes(), new Tally()));
});

test('mutated values', LONG, async (t) => {
  const tally = new Tally();
  const regexes = someRegexes();
  const seed = fc.constantFrom(...METAS);
  const property = fc.property(seed, seed, mutations(META_TOKENS, 2), (message, donor, mutation) => {
    const value = mutate(message, mutation, donor);
    named(value, () => metaLaws(value.toString('latin1'), regexes, tally));
  });
  await fuzz(t, property, 2_500, tally);
  assert.ok(tally.of('read') > 50 && tally.of('refused (syntax)') > 200, String(tally));
});

test('values that are JSON, of any kind', LONG, async (t) => {
  const tally = new Tally();
  const regexes = someRegexes();
  const names = METAS.flatMap((text) => Object.keys(JSON.parse(text.toString()) as object));
  const leaf = fc.oneof(
    fc.constantFrom<unknown>(...META_TOKENS, ...URL_TOKENS, 'rw', 'ro', 'REJECT', 1, true, null),
    fc.string({ unit: 'binary' }),
  );
  const key = fc.oneof(fc.constantFrom(...names, 'buckets', 'bucket', 'regex', 'domain', 'type', '1', '0'), fc.string({ maxLength: 4 }));
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('tree'), { maxLength: 3 }), fc.dictionary(key, tie('tree'), { maxKeys: 4 })),
  }));
  const property = fc.property(fc.dictionary(key, tree, { maxKeys: 5 }), fc.boolean(), (object, pack) => {
    const packed = pack ? { ...object, compressed_blocks: deflateSync(JSON.stringify(object)).toString('base64') } : object;
    const value = Buffer.from(JSON.stringify(packed));
    named(value, () => metaLaws(value.toString('latin1'), regexes, tally));
    const { 'dedup-buckets': buckets } = object;
    if (typeof buckets !== 'object' || buckets === null || Array.isArray(buckets)) return;
    const entries = orderedEntries(JSON.stringify(object), 'dedup-buckets', buckets as Record<string, unknown>);
    assert.deepEqual(Object.fromEntries(entries), { ...buckets });
  });
  await fuzz(t, property, 1_000, tally);
  assert.ok(tally.of('read') > 50, String(tally));
});

test('any text as a URL and as a host', LONG, async (t) => {
  const piece = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...URL_TOKENS) }, { weight: 1, arbitrary: fc.string({ unit: 'binary' }) });
  const text = fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join(''));
  const tally = new Tally();
  const property = fc.property(text, (written) => {
    assert.equal(joinUrl(splitUrl(written)), written);
    const canonical = canonicalise(written);
    assert.match(canonical.href, /^[!-"$-~]*$/);
    for (const parts of [splitUrl(written), canonical]) {
      surt(parts);
      ssurt(parts);
    }
    for (const read of [normalHost, opaqueHost]) {
      const host = read(written);
      assert.match(host, /^[!-~]*$/);
      assert.equal(read(host), host, JSON.stringify(written));
    }
    tally.add(canonical.host === '' ? 'without a host' : 'with a host');
  });
  await fuzz(t, property, 2_500, tally);
});

/** What our regexes and those of JavaScript have in common. */
const REGEX_PIECES = [
  'a',
  'b',
  '.',
  '[ab]',
  '[^a]',
  '\\w',
  '\\D',
  '\\b',
  '^',
  '$',
  '(?:',
  ')',
  '|',
  '*',
  '+',
  '?',
  '{2}',
  '{1,3}',
  '{2,}',
  '??',
  '[a-c]',
  '\\.',
];

test('any regex is refused, or matches what JavaScript’s does', LONG, async (t) => {
  const tally = new Tally();
  const regexes = someRegexes();
  const source = fc.array(fc.constantFrom(...REGEX_PIECES), { maxLength: 10 }).map((pieces) => pieces.join(''));
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '.', '-', '1'), maxLength: 8 });
  const property = fc.property(source, fc.array(text, { minLength: 1, maxLength: 4 }), (pattern, texts) => {
    let regex;
    try {
      regex = regexes.read(pattern, 'whole');
    } catch (error) {
      assert.ok(error instanceof RegexError, String(error));
      assert.match(error.message, /^[ -~]+$/);
      return tally.add('refused');
    }
    let theirs: RegExp;
    try {
      theirs = new RegExp(`^(?:${pattern})$`);
    } catch {
      return tally.add('refused by JavaScript only');
    }
    for (const each of texts) {
      const matches: boolean = countSteps(regex.match(each)).value;
      assert.equal(matches, theirs.test(each), `${pattern} on ${JSON.stringify(each)}`);
      tally.add(matches ? 'matches' : 'others');
    }
  });
  await fuzz(t, property, 2_500, tally);
  assert.ok(tally.of('matches') > 50 && tally.of('others') > 200, String(tally));
});

test('any characters as a regex', LONG, async (t) => {
  const tally = new Tally();
  const regexes = someRegexes();
  const sign = fc.oneof(
    fc.constantFrom(...'()[]{}|*+?.^$\\-,:=!<>PiLmsuxabdDwWsSbBAZz0123456789#\n é'.split(/(?:)/)),
    fc.string({ unit: 'binary', maxLength: 1 }),
  );
  const property = fc.property(
    fc.array(sign, { maxLength: 24 }),
    fc.constantFrom<'whole' | 'start'>('whole', 'start'),
    fc.string(),
    (signs, extent, text) => {
      try {
        const { value } = countSteps(regexes.read(signs.join(''), extent).match(text), 100_000);
        tally.add(value ? 'matches' : 'others');
      } catch (error) {
        assert.ok(error instanceof RegexError, String(error));
        assert.match(error.message, PRINTABLE);
        tally.add('refused');
      }
    },
  );
  await fuzz(t, property, 2_500, tally);
});

describe('what once took the square of its length', () => {
  for (const costly of COSTLY) {
    test(costly.name, () => {
      // Linear it takes well below a second; as it was, minutes or hours.
      for (const size of [50_000, 300_000]) {
        const started = performance.now();
        const what = costly.make(size);
        if ('url' in what) canonicalise(what.url);
        else if ('host' in what) normalHost(what.host);
        else assert.throws(() => parseMeta(JSON.stringify(what.meta)), MetaError);
        assert.ok(performance.now() - started < 5_000, `${size}`);
      }
    });
  }
});
