/**
 * URL match rules: all conditions of a rule must hold for the canonical URL. None that is not understood is ever ignored.
 *
 * Source: spec/warcprox.md §5 (URL match rules).
 */
import { MetaError } from './errors.ts';
import { RegexError } from '../regex/errors.ts';
import { isWithin, normalHost } from '../url/host.ts';
import { isObject, type JsonObject } from './json.ts';
import type { MadeRule, RuleTexts, UrlRule } from './meta.ts';
import type { Regex, Regexes } from '../regex/regex.ts';
import { ruleTarget, type RuleTarget } from './rule-target.ts';
import { finish, type Steps, type TimeSlices } from '../util/slices.ts';

/** What a rule may say; `null` counts as not said. */
const TEXTS = ['domain', 'surt', 'ssurt', 'substring', 'regex', 'parent_url_regex', 'url_match', 'value'] as const;
type Text = (typeof TEXTS)[number];
type Conditions = Partial<Record<Text, string>>;

/** The older form: what `value` is. */
const URL_MATCH: Readonly<Record<string, 'regex' | 'surt' | 'substring'>> = {
  REGEX_MATCH: 'regex',
  SURT_MATCH: 'surt',
  STRING_MATCH: 'substring',
};

const NO_TEXTS: RuleTexts = {};

/** CPU time that the rules of one request may take; far more than thousands of usual ones need. */
const MAX_RULES_MS = 5_000;

/**
 * There may be 200,000, and a rule is no more than the object that the client wrote, where that says it all.
 *
 * @param field path of the rule, such as `blocks[3]`
 * @throws MetaError naming the condition
 */
export function readRule(raw: unknown, field: string, regexes: Regexes): UrlRule {
  if (!isObject(raw)) throw new MetaError('type', field, 'expected a URL match rule, an object', raw);
  const exact = readExact(raw, field);
  const texts = readTexts(raw, field);
  const { domain, surt, ssurt, substring, ...patterns } = withoutUrlMatch(texts, field);
  const regex = readRegex(patterns.regex, `${field}.${texts.regex === undefined ? 'value' : 'regex'}`, 'whole', regexes);
  const parentRegex = readRegex(patterns.parent_url_regex, `${field}.parent_url_regex`, 'whole', regexes);
  const isRegex = regex !== undefined || parentRegex !== undefined;
  const isText = [domain, surt, ssurt, substring].some((condition) => condition !== undefined);
  if (!isRegex && !isText) throw new MetaError('value', field, 'expected a rule with a condition', raw);
  const normal = domain === undefined ? undefined : normalHost(domain);
  const isPlain = raw.domain === normal && raw.surt === surt && raw.ssurt === ssurt && raw.substring === substring;
  if (isPlain && !isRegex) return raw;
  return new Made(raw, isText ? { exact, domain: normal, surt, ssurt, substring } : NO_TEXTS, regex, parentRegex);
}

class Made implements MadeRule {
  readonly raw: JsonObject;
  readonly texts: RuleTexts;
  readonly regex: Regex | undefined;
  readonly parentRegex: Regex | undefined;

  constructor(raw: JsonObject, texts: RuleTexts, regex: Regex | undefined, parentRegex: Regex | undefined) {
    this.raw = raw;
    this.texts = texts;
    this.regex = regex;
    this.parentRegex = parentRegex;
  }
}

function isMade(rule: UrlRule): rule is MadeRule {
  return rule instanceof Made;
}

/** The rule as the client wrote it. */
export function rawRule(rule: UrlRule): JsonObject {
  return isMade(rule) ? rule.raw : rule;
}

/** About so many bytes of memory does it take, beside its text. */
export function weightOf(rule: UrlRule): number {
  return isMade(rule) ? 300 : 100;
}

/** At once if it can be said without a regex. */
function matches(rule: UrlRule, target: RuleTarget): boolean | Steps<boolean> {
  const texts: RuleTexts = isMade(rule) ? rule.texts : rule;
  const { exact, domain, surt, ssurt, substring } = texts;
  const { host, href } = target.url;
  const begins = (form: string, wanted: string) => (exact === true ? form === wanted : form.startsWith(wanted));
  if (domain !== undefined && !(exact === true ? host === domain : isWithin(host, domain))) return false;
  if (surt !== undefined && !begins(target.surt(), surt)) return false;
  if (ssurt !== undefined && !begins(target.ssurt(), ssurt)) return false;
  if (substring !== undefined && !href.includes(substring)) return false;
  if (!isMade(rule)) return true;
  const { regex, parentRegex } = rule;
  if (parentRegex !== undefined && target.parentUrl() === undefined) return false;
  if (regex === undefined && parentRegex === undefined) return true;
  return matchRegexes(target, regex, parentRegex);
}

function* matchRegexes(target: RuleTarget, regex: Regex | undefined, parentRegex: Regex | undefined): Steps<boolean> {
  if (regex !== undefined && !(yield* regex.match(target.url.href))) return false;
  return parentRegex === undefined || (yield* parentRegex.match(target.parentUrl() ?? ''));
}

/** @throws MetaError */
export function readRegex(source: string, field: string, extent: 'whole' | 'start', regexes: Regexes): Regex;
export function readRegex(source: string | undefined, field: string, extent: 'whole' | 'start', regexes: Regexes): Regex | undefined;
export function readRegex(source: string | undefined, field: string, extent: 'whole' | 'start', regexes: Regexes): Regex | undefined {
  if (source === undefined) return undefined;
  try {
    return regexes.read(source, extent);
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    throw new MetaError(error.tooLarge ? 'too-large' : 'regex', field, error.message, source, { cause: error });
  }
}

/**
 * The first rule that matches: at once as a rule, as a promise if that would take longer than a slice.
 *
 * @param parentUrl URL of the page that the request came from, if known
 * @throws MetaError when matching takes more than some seconds of CPU time
 */
export function firstMatch(
  rules: readonly UrlRule[],
  url: string,
  parentUrl: string | undefined,
  slices: TimeSlices,
  signal?: AbortSignal,
): UrlRule | undefined | Promise<UrlRule | undefined> {
  if (rules.length === 0) return undefined;
  const error = (): Error => new MetaError('too-large', 'blocks', `regexes too large for a URL of ${url.length} characters`);
  return slices.run(matchSteps(rules, ruleTarget(url, parentUrl)), { maxMs: MAX_RULES_MS, error }, signal);
}

/** Whether one rule matches, however long it takes. */
export function ruleMatches(rule: UrlRule, url: string, parentUrl?: string): boolean {
  const result = matches(rule, ruleTarget(url, parentUrl));
  return typeof result === 'boolean' ? result : finish(result);
}

function* matchSteps(rules: readonly UrlRule[], target: RuleTarget): Steps<UrlRule | undefined> {
  let unpaused = 0;
  // Looking for a text takes a µs for each 4 KiB or so of the URL.
  const weight = 1 + Math.floor(target.url.href.length / 1024);
  for (const rule of rules) {
    const result = matches(rule, target);
    if (typeof result === 'boolean' ? result : yield* result) return rule;
    // A rule takes 0.05 to 5 µs.
    unpaused += typeof result === 'boolean' ? weight : 20;
    if (unpaused < 1_000) continue;
    unpaused = 0;
    yield;
  }
  return undefined;
}

function readExact(raw: JsonObject, field: string): boolean {
  const exact = Object.hasOwn(raw, 'exact') ? raw.exact : false;
  if (typeof exact !== 'boolean' && exact !== null) throw new MetaError('type', `${field}.exact`, 'expected true or false', exact);
  return exact === true;
}

function readTexts(raw: JsonObject, field: string): Conditions {
  const texts: Conditions = {};
  for (const [key, value] of Object.entries(raw)) {
    if (value === null || key === 'exact') continue;
    const name = TEXTS.find((known) => known === key);
    if (name === undefined) throw new MetaError('value', field, `expected only ${TEXTS.join(', ')} or exact`, key);
    if (typeof value !== 'string' || value === '') throw new MetaError('type', `${field}.${name}`, 'expected a string, not empty', value);
    texts[name] = value;
  }
  return texts;
}

function withoutUrlMatch({ url_match: match, value, ...conditions }: Conditions, field: string): Conditions {
  if (match === undefined && value === undefined) return conditions;
  if (match === undefined) throw new MetaError('value', `${field}.value`, 'expected only together with url_match', value);
  const name = Object.hasOwn(URL_MATCH, match) ? URL_MATCH[match] : undefined;
  if (name === undefined) throw new MetaError('value', `${field}.url_match`, `expected ${Object.keys(URL_MATCH).join(', ')}`, match);
  if (value === undefined) throw new MetaError('value', `${field}.value`, `expected what ${match} is to match`);
  if (conditions[name] !== undefined)
    throw new MetaError('value', `${field}.${name}`, `expected not to be there besides ${match}`, conditions[name]);
  return { ...conditions, [name]: value };
}
