/** A policy that will do, and ways to spoil it. */
import { clone, create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  PatternMatch,
  PolicyRobotsTxt_Usage as Usage,
  PolicySchema,
  PolicyUrlRule_Action as Action,
  type Policy,
} from '../../../src/crawl/proto/starbelly_pb.ts';

const GOOD = create(PolicySchema, {
  name: 'Test',
  mimeTypeRules: [{ pattern: '^text/', match: PatternMatch.MATCHES, save: true }, { save: false }],
  robotsTxt: { usage: Usage.IGNORE },
  urlRules: [
    { pattern: '^https?://({SEED_DOMAINS})/', match: PatternMatch.MATCHES, action: Action.ADD, amount: 1 },
    { action: Action.MULTIPLY, amount: 0 },
  ],
  userAgents: [{ name: 'Test/{VERSION}' }],
});

export function goodPolicy(change: MessageInitShape<typeof PolicySchema> = {}): Policy {
  const changed = create(PolicySchema, change);
  const policy = clone(PolicySchema, GOOD);
  for (const name of Object.keys(change)) Reflect.set(policy, name, Reflect.get(changed, name));
  return policy;
}
