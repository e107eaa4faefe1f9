/**
 * A policy as a job goes by it: its rules with their regexes read.
 *
 * Of each list the first rule that applies decides; the last has no pattern and always applies. Patterns are Python's, found anywhere in
 * their subject, in linear time.
 */
import { isFieldSet } from '@bufbuild/protobuf';
import { upstreamOf, type Upstream } from '../../fetch/upstream.ts';
import { createRegexes, type Regexes } from '../../regex/regex.ts';
import { utf8Bytes } from '../../url/percent.ts';
import type { TimeSlices } from '../../util/slices.ts';
import { canonicalUrl, withoutParameters } from './canonical.ts';
import {
  PatternMatch,
  PolicyLimitsSchema,
  PolicyRobotsTxt_Usage as RobotsUsage,
  PolicyUrlNormalizationSchema,
  PolicyUrlRule_Action as Action,
  type Policy,
} from '../proto/starbelly_pb.ts';

export interface RulesParts {
  readonly slices: TimeSlices;
  readonly version: string;
  /** of what is drawn by lot */
  readonly random: () => number;
  readonly regexes?: Regexes;
}

export interface Rules {
  /** of a link; undefined when it is not followed */
  cost(url: string, parent: number): Promise<number | undefined>;
  /** no rule forbids it: what a redirect has to pass */
  mayFollow(url: string): Promise<boolean>;
  /** @param type value of a Content-Type field */
  saves(type: string): Promise<boolean>;
  proxyFor(url: string): Promise<Upstream | undefined>;
  /** one of those of the policy, by lot */
  userAgent(): string;
  /** the first: what robots.txt knows us by */
  readonly agent: string;
  /** what a URL counts as */
  identity(url: string): string;
  readonly robots: RobotsUsage;
  readonly readSitemaps: boolean;
  readonly obeyCrawlDelay: boolean;
  readonly logsIn: boolean;
  readonly renders: boolean;
  /** Infinity where there is none */
  readonly maxItems: number;
  readonly maxMs: number;
}

interface Pattern {
  readonly pattern: string;
  readonly match: PatternMatch;
}

const SEED_DOMAINS = '{SEED_DOMAINS}';

/** @throws RegexError for a pattern that cannot be read */
export function readPattern(pattern: string, regexes: Regexes = createRegexes()): void {
  regexes.read(utf8Bytes(pattern.replaceAll(SEED_DOMAINS, 'seed')), 'part');
}

/** @throws RegexError */
export function rulesOf(policy: Policy, seeds: readonly string[], parts: RulesParts): Rules {
  const { slices, version, random, regexes = createRegexes() } = parts;
  const { limits, robotsTxt, urlNormalization } = policy;
  const domains = [...new Set(seeds.map(domainOf))].join('|');

  /** The first that applies. */
  const choice = <Rule extends Pattern>(rules: readonly Rule[]): ((subject: string) => Promise<Rule | undefined>) => {
    const read = rules.map((rule) => ({
      rule,
      regex: rule.pattern === '' ? undefined : regexes.read(utf8Bytes(rule.pattern.replaceAll(SEED_DOMAINS, domains)), 'part'),
    }));
    return async (subject) => {
      for (const { rule, regex } of read) {
        if (regex === undefined) return rule;
        if ((await slices.run(regex.match(utf8Bytes(subject)))) === (rule.match !== PatternMatch.DOES_NOT_MATCH)) return rule;
      }
      return undefined;
    };
  };
  const [urlRule, mimeRule, proxyRule] = [choice(policy.urlRules), choice(policy.mimeTypeRules), choice(policy.proxyRules)];
  const upstreams = new Map(
    policy.proxyRules.flatMap(({ proxyUrl }) => (proxyUrl.trim() === '' ? [] : [[proxyUrl, upstreamOf(proxyUrl)]])),
  );

  const maxCost = limits !== undefined && isFieldSet(limits, PolicyLimitsSchema.field.maxCost) ? limits.maxCost : Infinity;
  const maxItems = limits !== undefined && isFieldSet(limits, PolicyLimitsSchema.field.maxItems) ? limits.maxItems : Infinity;
  const maxMs = (limits?.maxDuration ?? 0) * 1000 || Infinity;
  const normalizes =
    urlNormalization === undefined || !isFieldSet(urlNormalization, PolicyUrlNormalizationSchema.field.enabled) || urlNormalization.enabled;
  const stripped = new Set(urlNormalization?.stripParameters);
  const agents = policy.userAgents.map(({ name }) => name.replaceAll('{VERSION}', version));

  const costOf = async (url: string, parent: number): Promise<number> => {
    const rule = await urlRule(url);
    if (rule === undefined) return 0;
    return rule.action === Action.MULTIPLY ? parent * rule.amount : parent + rule.amount;
  };
  return {
    async cost(url, parent) {
      const cost = await costOf(url, parent);
      return cost > 0 && cost <= maxCost ? cost : undefined;
    },
    mayFollow: async (url) => (await costOf(url, 1)) > 0,
    saves: async (type) => (await mimeRule(type))?.save ?? false,
    async proxyFor(url) {
      const rule = await proxyRule(url);
      return rule && upstreams.get(rule.proxyUrl);
    },
    userAgent: () => agents[Math.floor(random() * agents.length)] ?? '',
    agent: agents[0] ?? '',
    identity: (url) => (normalizes ? canonicalUrl(withoutParameters(url, stripped)) : url),
    robots: robotsTxt?.usage ?? RobotsUsage.OBEY,
    readSitemaps: robotsTxt?.readSitemaps ?? false,
    obeyCrawlDelay: robotsTxt?.obeyCrawlDelay ?? false,
    logsIn: policy.authentication?.enabled ?? false,
    renders: policy.render,
    maxItems,
    maxMs,
  };
}

/** With the port, unless it is the scheme's own; for a regex. */
function domainOf(seed: string): string {
  return new URL(seed).host.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
