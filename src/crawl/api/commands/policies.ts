/** Commands about policies. */
import { create, isFieldSet } from '@bufbuild/protobuf';
import { PolicySchema, ResponseListPoliciesSchema, ResponseNewPolicySchema } from '../../proto/starbelly_pb.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Commands } from '../command.ts';
import { pageOf } from '../paging.ts';
import { briefly } from '../policy-messages.ts';

export function policyCommands(settings: Settings): Commands {
  const { policies } = settings;
  return {
    getPolicy: ({ policyId }) => ({ body: { case: 'policy', value: policies.get(policyId) } }),

    listPolicies: ({ page }) => {
      const { items, total } = pageOf(policies.list(), page);
      return { body: { case: 'listPolicies', value: create(ResponseListPoliciesSchema, { policies: items.map(briefly), total }) } };
    },

    setPolicy: async ({ policy = create(PolicySchema) }) => {
      if (isFieldSet(policy, PolicySchema.field.policyId) && policy.policyId.length > 0) {
        await policies.replace(policy);
        return undefined;
      }
      return { body: { case: 'newPolicy', value: create(ResponseNewPolicySchema, { policyId: await policies.add(policy) }) } };
    },

    deletePolicy: async ({ policyId }) => {
      await settings.deletePolicy(policyId);
      return undefined;
    },
  };
}
