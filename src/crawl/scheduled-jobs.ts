/** What the scheduler asks of the jobs. The newest job of each schedule is remembered for as long as nothing of it changes. */
import { hexOf } from './ids.ts';
import type { Jobs } from './jobs/types.ts';
import { JobRunState } from './proto/starbelly_pb.ts';
import type { Policies } from './settings/policies.ts';
import type { LatestJob, ScheduledJobs } from './settings/scheduler.ts';

export function scheduledJobs(jobs: Jobs, policies: Policies): ScheduledJobs {
  const known = new Map<string, Promise<LatestJob | undefined>>();
  jobs.onChange(({ kind, id }) => {
    const scheduleId = jobs.peek(id)?.scheduleId;
    if (scheduleId !== undefined) known.delete(hexOf(scheduleId));
    // Which schedule it was of is not known any more.
    else if (kind === 'deleted') known.clear();
  });

  const read = async (scheduleId: Uint8Array): Promise<LatestJob | undefined> => {
    const job = await jobs.latestOf(scheduleId);
    return job && { jobId: job.id, startedMs: job.startedAt, endedMs: job.completedAt };
  };

  return {
    latest(scheduleId) {
      const key = hexOf(scheduleId);
      const latest = known.get(key) ?? read(scheduleId);
      known.set(key, latest);
      latest.catch(() => known.delete(key));
      return latest;
    },
    async start({ scheduleId, policyId, seeds, tags }, name) {
      await jobs.create({ seeds, policy: policies.get(policyId), name, tags, scheduleId });
      known.delete(hexOf(scheduleId));
    },
    cancel: (jobId) => jobs.setState(jobId, JobRunState.CANCELLED),
  };
}
