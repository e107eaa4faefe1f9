/** Policies as messages. */
import { create } from '@bufbuild/protobuf';
import { PolicySchema, type Policy } from '../proto/starbelly_pb.ts';

/** What a list, or the status of a job, has of a policy. */
export function briefly({ policyId, name, createdAt, updatedAt }: Policy): Policy {
  return create(PolicySchema, { policyId, name, createdAt, updatedAt });
}
