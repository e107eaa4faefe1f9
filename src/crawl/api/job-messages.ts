/** Jobs and their items as messages. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { BodyForm, Job, ReadItem } from '../jobs/types.ts';
import { CrawlResponseSchema, JobSchema, type CrawlResponse, type Job as JobMessage } from '../proto/starbelly_pb.ts';
import { timeText } from '../times.ts';
import { briefly } from './policy-messages.ts';

type JobInit = Exclude<MessageInitShape<typeof JobSchema>, JobMessage>;

const MAX_INT32 = 2_147_483_647;

/** With all of the policy, as a question for one job is answered. */
export function wholeJob(job: Job): JobMessage {
  return create(JobSchema, { ...listed(job), policy: job.policy });
}

/** Without policy, as lists have it. */
export function listedJob(job: Job): JobMessage {
  return create(JobSchema, listed(job));
}

/** With what tells its policy from others, as status has it. */
export function trackedJob(job: Job): JobMessage {
  return create(JobSchema, { ...listed(job), policy: briefly(job.policy) });
}

/** What of it has changed since; undefined for nothing. Counts are new ones, not differences. */
export function changedJob(before: Job, after: Job): JobMessage | undefined {
  const [old, now] = [listed(before), listed(after)];
  const changed: [string, unknown][] = Object.entries(now).filter(([name, value]) => {
    if (name === 'httpStatusCounts' || (name === 'seeds' && before.seeds === after.seeds)) return false;
    return JSON.stringify(value) !== JSON.stringify(old[name as keyof JobInit]);
  });
  const statuses = [...after.statusCounts].filter(([status, count]) => before.statusCounts.get(status) !== count);
  if (statuses.length > 0) changed.push(['httpStatusCounts', countsOf(statuses)]);
  return changed.length === 0 ? undefined : create(JobSchema, { ...Object.fromEntries(changed), jobId: after.id });
}

/** As it is sent, with its body unless that was not asked for. */
export function itemMessage({ answer, body, record, exception, finalUrl, ...item }: ReadItem, bodies: BodyForm = 'packed'): CrawlResponse {
  return create(CrawlResponseSchema, {
    jobId: item.jobId,
    url: item.url,
    urlCan: item.urlCan,
    cost: item.cost,
    startedAt: timeText(item.startedAt),
    completedAt: timeText(item.completedAt),
    duration: item.duration,
    isSuccess: item.isSuccess,
    isCompressed: body?.isCompressed ?? false,
    sequence: BigInt(item.sequence),
    ...(exception === undefined ? {} : { exception }),
    ...(answer === undefined
      ? {}
      : {
          ...(bodies === 'none' ? {} : { body: body?.bytes ?? new Uint8Array() }),
          contentType: answer.contentType,
          statusCode: answer.status,
          headers: answer.headers.map(([key, value]) => ({ key, value })),
        }),
    ...(record === undefined ? {} : { warcRecordId: record.id, warcFile: record.file, warcOffset: BigInt(record.offset) }),
    ...(finalUrl === undefined ? {} : { finalUrl }),
  });
}

function listed({ id, seeds, name, tags, runState, startedAt, completedAt, counts, statusCounts }: Job): JobInit {
  return {
    jobId: id,
    seeds: [...seeds],
    name,
    tags: [...tags],
    runState,
    startedAt: timeText(startedAt),
    ...(completedAt === undefined ? {} : { completedAt: timeText(completedAt) }),
    itemCount: clipped(counts.items),
    httpSuccessCount: clipped(counts.successes),
    httpErrorCount: clipped(counts.errors),
    exceptionCount: clipped(counts.exceptions),
    httpStatusCounts: countsOf(statusCounts),
  };
}

function countsOf(counts: Iterable<readonly [status: number, count: number]>): Record<number, number> {
  return Object.fromEntries([...counts].map(([status, count]) => [status, clipped(count)]));
}

function clipped(count: number): number {
  return Math.min(count, MAX_INT32);
}
