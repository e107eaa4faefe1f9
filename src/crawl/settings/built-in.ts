/** The policies that a server begins with, and the agent that they crawl as. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { PatternMatch, PolicyRobotsTxt_Usage as Usage, PolicyUrlRule_Action as Action, type PolicySchema } from '../proto/starbelly_pb.ts';

/** `{VERSION}` is the version of this server. Who runs it adds how to reach him. */
const USER_AGENT = 'warctap/{VERSION} (archiving crawler)';

const ALIKE = {
  mimeTypeRules: [{ pattern: '^text/', match: PatternMatch.MATCHES, save: true }, { save: false }],
  proxyRules: [{}],
  robotsTxt: { usage: Usage.OBEY },
  urlNormalization: { enabled: true, stripParameters: ['JSESSIONID', 'PHPSESSID', 'sid'] },
  userAgents: [{ name: USER_AGENT }],
} satisfies MessageInitShape<typeof PolicySchema>;

export const BUILT_IN_POLICIES: readonly MessageInitShape<typeof PolicySchema>[] = [
  {
    ...ALIKE,
    name: 'Broad Crawl',
    authentication: { enabled: false },
    limits: { maxItems: 1_000_000, maxCost: 3 },
    urlRules: [{ action: Action.ADD, amount: 1 }],
  },
  {
    ...ALIKE,
    name: 'Deep Crawl',
    authentication: { enabled: true },
    limits: { maxCost: 10 },
    urlRules: [
      { pattern: '^https?://({SEED_DOMAINS})/', match: PatternMatch.MATCHES, action: Action.ADD, amount: 1 },
      { action: Action.MULTIPLY, amount: 0 },
    ],
  },
];
