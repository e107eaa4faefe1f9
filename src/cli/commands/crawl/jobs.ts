/** `warctap crawl set-job`, `get-job`, `list-jobs`, `get-job-items`: jobs and what they have fetched. */
import type { CrawlClient, Job, JobRunState } from '../../../crawl/client.ts';
import { anyText, listOf, onOff, REFUSED, type Kind } from '../../../options/kinds.ts';
import { group } from '../../../options/row.ts';
import { answer, asking, ID, idIn, ONE_OR_ZERO, print } from './asking.ts';
import { JOB_FILTER, PAGE } from './lists.ts';

/** In the order of their numbers, from 1. */
const RUN_STATES = ['cancelled', 'completed', 'paused', 'pending', 'running'] as const;

const RUN_STATE: Kind<JobRunState> = {
  expected: `${RUN_STATES.join(' or ')}, or its number from 1`,
  shape: 'value',
  suggest: RUN_STATES,
  read(input) {
    const number = RUN_STATES.findIndex((state, index) => input === state || input === String(index + 1)) + 1;
    return number === 0 ? REFUSED : number;
  },
};

const FINISHED: ReadonlySet<number> = new Set([1, 2]);

/** Each state of a job that there is, until it has ended. */
async function watchJob(client: CrawlClient, jobId: Uint8Array): Promise<void> {
  const isThis = (job: Job) => Buffer.compare(job.jobId, jobId) === 0;
  for await (const jobs of client.jobStatus()) {
    if (!jobs.some(isThis)) continue;
    await answer(client, { case: 'getJob', value: { jobId } });
    if (FINISHED.has((await client.get({ case: 'getJob', value: { jobId } }, 'job')).runState)) return;
  }
}

async function watchJobs(client: CrawlClient): Promise<void> {
  const { JobListSchema } = await import('../../../crawl/client.ts');
  const { create, toJsonString } = await import('@bufbuild/protobuf');
  for await (const jobs of client.jobStatus()) await print(`${toJsonString(JobListSchema, create(JobListSchema, { jobs }))}\n`);
}

const JOB = { name: '[JOB]', summary: 'an identifier: hexadecimal digits, a UUID or Base64' } as const;

export const jobs = [
  asking({
    name: 'set-job',
    summary: 'Start a job from URLs by a policy, or change one that there is.',
    operands: { name: '[URL...]', summary: 'URLs that it begins with, as those of --seeds' },
    takes: [0, Infinity],
    own: group('Options', {
      jobId: { argument: 'ID', kind: ID, defaultText: 'none: a new job', summary: 'the job to change' },
      policyId: { argument: 'ID', kind: ID, defaultText: 'none', summary: 'the policy of a new job' },
      runState: { argument: 'STATE', kind: RUN_STATE, defaultText: 'as it is', summary: 'paused, running or cancelled' },
      name: { argument: 'TEXT', kind: anyText, defaultText: 'the host of its first URL', summary: 'its name' },
      tags: { argument: 'A,B', kind: anyText, defaultText: 'none', summary: 'its tags, with commas between them' },
      seeds: { argument: 'URL', kind: listOf(anyText), default: [], defaultText: 'none', summary: 'a URL to begin with; may be repeated' },
    }),
    run: ({ operands, own: { jobId, policyId, runState, name, tags, seeds = [] }, client }) =>
      answer(client, {
        case: 'setJob',
        value: {
          seeds: [seeds, operands].flat(),
          tags: tags?.split(',') ?? [],
          ...(jobId === undefined ? {} : { jobId }),
          ...(policyId === undefined ? {} : { policyId }),
          ...(runState === undefined ? {} : { runState }),
          ...(name === undefined ? {} : { name }),
        },
      }),
  }),
  asking({
    name: 'get-job',
    summary: 'Print a job with its counts and its policy.',
    operands: JOB,
    takes: [1, 1],
    own: group('Options', {
      watch: { kind: onOff, default: false, summary: 'print it again each time it has changed, until it has ended' },
    }),
    run: ({ operands: [id], own: { watch = false }, client }) =>
      watch ? watchJob(client, idIn(id)) : answer(client, { case: 'getJob', value: { jobId: idIn(id) } }),
  }),
  asking({
    name: 'list-jobs',
    summary: 'Print the jobs, newest first.',
    own: {
      ...JOB_FILTER,
      ...PAGE,
      ...group('Options', {
        watch: { kind: onOff, default: false, summary: 'print, a line each time, what is new or has changed of the latest jobs' },
      }),
    },
    run: ({ own: { startedAfter, tag, scheduleId, limit = 10, offset = 0, watch = false }, client }) =>
      watch
        ? watchJobs(client)
        : answer(client, {
            case: 'listJobs',
            value: {
              page: { limit, offset },
              ...(startedAfter === undefined ? {} : { startedAfter }),
              ...(tag === undefined ? {} : { tag }),
              ...(scheduleId === undefined ? {} : { scheduleId }),
            },
          }),
  }),
  asking({
    name: 'get-job-items',
    summary: 'Print what a job has fetched, a page of it, with bodies.',
    operands: JOB,
    takes: [1, 1],
    own: {
      ...group('Options', {
        includeSuccess: {
          argument: '0|1',
          kind: ONE_OR_ZERO,
          default: true,
          defaultText: '1',
          summary: 'answers with a status from 200 to 299',
        },
        includeError: { argument: '0|1', kind: ONE_OR_ZERO, default: false, defaultText: '0', summary: 'answers with another status' },
        includeException: { argument: '0|1', kind: ONE_OR_ZERO, default: false, defaultText: '0', summary: 'those without an answer' },
        compressionOk: { argument: '0|1', kind: ONE_OR_ZERO, default: true, defaultText: '1', summary: 'bodies may be compressed by gzip' },
      }),
      ...PAGE,
    },
    run: ({ operands: [id], own, client }) => {
      const { includeSuccess = true, includeError = false, includeException = false, compressionOk = true, limit = 10, offset = 0 } = own;
      const page = { limit, offset };
      const value = { jobId: idIn(id), includeSuccess, includeError, includeException, compressionOk, page };
      return answer(client, { case: 'getJobItems', value });
    },
  }),
] as const;
