/**
 * What a policy must have to be kept: the first fault that is found is told, in the words of the published server.
 *
 * The numbers of rules begin at 1. The last rule of a list has neither pattern nor match, and applies to whatever the others leave.
 */
import { isFieldSet, type DescField } from '@bufbuild/protobuf';
import { Failure } from '../failure.ts';
import {
  PolicyMimeTypeRuleSchema,
  PolicyProxyRuleSchema,
  PolicyRobotsTxtSchema,
  PolicyUrlRuleSchema,
  type Policy,
  type PolicyMimeTypeRule,
  type PolicyProxyRule,
  type PolicyUrlRule,
} from '../proto/starbelly_pb.ts';

/** @throws for a pattern that cannot be used */
export type ReadPattern = (pattern: string) => unknown;

const MIME = PolicyMimeTypeRuleSchema.field;
const PROXY = PolicyProxyRuleSchema.field;
const URL_RULE = PolicyUrlRuleSchema.field;
const PROXY_SCHEMES = new Set(['http:', 'https:', 'socks4:', 'socks4a:', 'socks5:']);

/** @throws Failure */
export function checkPolicy(policy: Policy, readPattern: ReadPattern): void {
  need(!isBlank(policy.name), 'Policy name cannot be blank.');
  need(!((policy.limits?.maxDuration ?? 0) < 0), 'Max duration must be ≥0.');
  need(!((policy.limits?.maxItems ?? 0) < 0), 'Max items must be ≥0.');
  need(policy.mimeTypeRules.length > 0, 'At least one MIME type rule is required.');
  each(policy.mimeTypeRules, 'MIME type rule', (rule, place, last) => (last ? lastMimeRule : mimeRule)(rule, place, readPattern));
  each(policy.proxyRules, 'proxy rule', (rule, place, last) => proxyRule(rule, place, last, readPattern));
  need(policy.robotsTxt !== undefined && isFieldSet(policy.robotsTxt, PolicyRobotsTxtSchema.field.usage), 'Robots.txt usage is required.');
  need(policy.urlRules.length > 0, 'At least one URL rule is required.');
  each(policy.urlRules, 'URL rule', (rule, place, last) => (last ? lastUrlRule : urlRule)(rule, place, readPattern));
  need(policy.userAgents.length > 0, 'At least one user agent is required.');
  policy.userAgents.forEach(({ name }, index) => need(!isBlank(name), `Name is required in User agent #${index + 1}.`));
}

function mimeRule(rule: PolicyMimeTypeRule, place: string, readPattern: ReadPattern): void {
  need(!isBlank(rule.pattern), `Pattern is required in ${place}.`);
  need(has(rule, MIME.save), `Save selector is required in ${place}.`);
  need(has(rule, MIME.match), `Match selector is required in ${place}.`);
  regex(rule.pattern, place, readPattern);
}

function lastMimeRule(rule: PolicyMimeTypeRule, place: string): void {
  need(has(rule, MIME.save), `Save selector is required in ${place}.`);
  need(!has(rule, MIME.pattern), `Pattern is not allowed in ${place}.`);
  need(!has(rule, MIME.match), `Match selector is not allowed in ${place}.`);
}

function proxyRule(rule: PolicyProxyRule, place: string, last: boolean, readPattern: ReadPattern): void {
  if (last) {
    need(!has(rule, PROXY.pattern) && !has(rule, PROXY.match), `Pattern is not allowed in ${place}.`);
  } else {
    need(!isBlank(rule.pattern), `Pattern is required in ${place}.`);
    regex(rule.pattern, place, readPattern);
    need(has(rule, PROXY.match), `Match selector is required in ${place}.`);
    need(!isBlank(rule.proxyUrl), `Proxy URL is required in ${place}.`);
  }
  if (!isBlank(rule.proxyUrl))
    need(
      URL.canParse(rule.proxyUrl) && PROXY_SCHEMES.has(new URL(rule.proxyUrl).protocol),
      `Must have a valid URL with one of the following schemes: http, https, socks4, socks4a, socks5 in ${place}.`,
    );
}

function urlRule(rule: PolicyUrlRule, place: string, readPattern: ReadPattern): void {
  need(!isBlank(rule.pattern), `Pattern is required in ${place}.`);
  need(has(rule, URL_RULE.match), `Match selector is required in ${place}.`);
  need(has(rule, URL_RULE.action), `Action selector is required in ${place}.`);
  need(has(rule, URL_RULE.amount), `Amount is required in ${place}.`);
  regex(rule.pattern, place, readPattern);
}

function lastUrlRule(rule: PolicyUrlRule, place: string): void {
  need(!has(rule, URL_RULE.pattern), `Pattern is not allowed in ${place}.`);
  need(!has(rule, URL_RULE.match), `Match is not allowed in ${place}.`);
  need(has(rule, URL_RULE.action), `Action is required in ${place}.`);
  need(has(rule, URL_RULE.amount), `Amount is required in ${place}.`);
}

function each<Rule>(rules: readonly Rule[], kind: string, check: (rule: Rule, place: string, last: boolean) => void): void {
  rules.forEach((rule, index) => {
    const last = index === rules.length - 1;
    check(rule, last ? `last ${kind}` : `${kind} #${index + 1}`, last);
  });
}

function regex(pattern: string, place: string, readPattern: ReadPattern): void {
  try {
    readPattern(pattern);
  } catch (error) {
    throw new Failure(`Invalid regular expression in ${place}.`, { cause: error });
  }
}

/** Present, and more than an empty text: the web client sends those for what was left out. */
function has(rule: PolicyMimeTypeRule | PolicyProxyRule | PolicyUrlRule, field: DescField): boolean {
  return isFieldSet(rule, field) && Reflect.get(rule, field.localName) !== '';
}

function isBlank(text: string): boolean {
  return text.trim() === '';
}

function need(met: boolean, text: string): asserts met {
  if (!met) throw new Failure(text);
}
