/** Commands about jobs and their items. */
import { create, isFieldSet } from '@bufbuild/protobuf';
import { Failure } from '../../failure.ts';
import { readId } from '../../ids.ts';
import type { Jobs } from '../../jobs/types.ts';
import {
  JobRunState,
  RequestSetJobSchema,
  ResponseListItemsSchema,
  ResponseListJobsSchema,
  ResponseNewJobSchema,
  type RequestSetJob,
} from '../../proto/starbelly_pb.ts';
import type { Settings } from '../../settings/settings.ts';
import { timeIn } from '../../times.ts';
import type { Commands, Reply } from '../command.ts';
import { itemMessage, listedJob, wholeJob } from '../job-messages.ts';
import { spanOf } from '../paging.ts';

/** Of items, which have bodies. */
const MAX_ITEMS = 200;
const { runState: RUN_STATE, jobId: JOB_ID } = RequestSetJobSchema.field;

export function jobCommands(jobs: Jobs, { policies }: Settings): Commands {
  const make = async (command: RequestSetJob): Promise<Reply> => {
    const { policyId, seeds, name, tags, runState } = command;
    if (policyId.length === 0) throw new Failure('"policy_id" is required');
    if (seeds.every((seed) => seed.trim() === '')) throw new Failure('"seeds" is required');
    const policy = policies.get(policyId);
    if (isFieldSet(command, RUN_STATE) && runState !== JobRunState.RUNNING) throw new Failure('New job state must be set to RUNNING');
    const jobId = await jobs.create({ seeds, policy, name, tags });
    return { body: { case: 'newJob', value: create(ResponseNewJobSchema, { jobId }) } };
  };

  return {
    setJob: async (command) => {
      if (!isFieldSet(command, JOB_ID) || command.jobId.length === 0) return make(command);
      const id = readId(command.jobId);
      if (isFieldSet(command, RUN_STATE)) {
        await jobs.setState(id, command.runState);
        return undefined;
      }
      const name = command.name.trim() === '' ? undefined : command.name;
      const tags = command.tags.length === 0 ? undefined : command.tags;
      await jobs.edit(id, { name, tags });
      return undefined;
    },

    getJob: async ({ jobId }) => ({ body: { case: 'job', value: wholeJob(await jobs.get(readId(jobId))) } }),

    listJobs: async ({ page, startedAfter, tag, scheduleId }) => {
      const after = startedAfter === '' ? undefined : timeIn(startedAfter);
      if (startedAfter !== '' && after === undefined) throw new Failure(`Invalid date: ${startedAfter}`);
      const filter = {
        startedAfter: after,
        tag: tag === '' ? undefined : tag,
        scheduleId: scheduleId.length === 0 ? undefined : readId(scheduleId),
      };
      const { found, total } = await jobs.list(filter, spanOf(page));
      return { body: { case: 'listJobs', value: create(ResponseListJobsSchema, { jobs: found.map(listedJob), total }) } };
    },

    getJobItems: async (command) => {
      const { jobId, includeSuccess, includeError, includeException, compressionOk, page, withoutBody, newestFirst } = command;
      const id = readId(jobId);
      if (!includeSuccess && !includeError && !includeException) throw new Failure('You must set at least one include_* flag to true.');
      const filter = { success: includeSuccess, error: includeError, exception: includeException };
      const bodies = withoutBody ? 'none' : compressionOk ? 'packed' : 'plain';
      const { found, total } = await jobs.items(id, filter, { ...spanOf(page, MAX_ITEMS), bodies, newestFirst });
      return {
        body: {
          case: 'listItems',
          value: create(ResponseListItemsSchema, { items: found.map((item) => itemMessage(item, bodies)), total }),
        },
      };
    },

    deleteJob: async ({ jobId }) => {
      await jobs.delete(readId(jobId));
      return undefined;
    },
  };
}
