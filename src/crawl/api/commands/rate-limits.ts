/** Commands about rate limits. */
import { create, isFieldSet } from '@bufbuild/protobuf';
import { RequestSetRateLimitSchema, ResponseListRateLimitsSchema } from '../../proto/starbelly_pb.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Commands } from '../command.ts';
import { pageOf } from '../paging.ts';

export function rateLimitCommands({ rateLimits }: Settings): Commands {
  return {
    listRateLimits: ({ page }) => {
      const { items, total } = pageOf(rateLimits.list(), page);
      return { body: { case: 'listRateLimits', value: create(ResponseListRateLimitsSchema, { rateLimits: items, total }) } };
    },

    setRateLimit: async (command) => {
      if (isFieldSet(command, RequestSetRateLimitSchema.field.delay)) await rateLimits.set(command.domain, command.delay);
      else await rateLimits.delete(command.domain);
      return undefined;
    },
  };
}
