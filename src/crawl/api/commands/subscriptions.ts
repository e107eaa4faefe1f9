/** Commands that begin and end subscriptions. */
import type { Log } from '../../../util/log.ts';
import { readId } from '../../ids.ts';
import type { Jobs } from '../../jobs/types.ts';
import type { Resources } from '../../monitor/resources.ts';
import type { TaskTree } from '../../proto/starbelly_pb.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Commands } from '../command.ts';
import { jobLogSubscription } from '../subscriptions/job-log.ts';
import { jobStatusSubscription } from '../subscriptions/job-status.ts';
import { jobSyncSubscription } from '../subscriptions/job-sync.ts';
import { domainLoginList, policyList, scheduleList } from '../subscriptions/lists.ts';
import { resourceSubscription } from '../subscriptions/resources.ts';
import { taskSubscription } from '../subscriptions/tasks.ts';
import { sequenceIn } from '../sync-token.ts';

export interface Watched {
  readonly jobs: Jobs;
  readonly settings: Settings;
  readonly resources: Resources;
  readonly tasks: () => TaskTree;
  readonly log: Log;
}

export function subscriptionCommands({ jobs, settings, resources, tasks, log }: Watched): Commands {
  return {
    subscribeJobStatus: ({ minInterval }, subscriptions) => subscriptions.add(jobStatusSubscription(jobs, minInterval)),

    subscribeJobSync: async ({ jobId, syncToken, compressionOk }, subscriptions) => {
      const leaving = new AbortController();
      const sequence = syncToken.length === 0 ? 0 : sequenceIn(syncToken);
      const items = await jobs.itemsAfter(readId(jobId), sequence, { compressionOk, signal: leaving.signal });
      return subscriptions.add(jobSyncSubscription(items, leaving, log));
    },

    subscribeResourceMonitor: ({ history }, subscriptions) => subscriptions.add(resourceSubscription(resources, history)),
    subscribeTaskMonitor: ({ period }, subscriptions) => subscriptions.add(taskSubscription(tasks, period)),
    subscribeJobLog: async ({ jobId }, subscriptions) => {
      const { id } = await jobs.get(readId(jobId));
      return subscriptions.add(jobLogSubscription(jobs, id));
    },

    subscribePolicyList: (_, subscriptions) => subscriptions.add(policyList(settings)),
    subscribeScheduleList: (_, subscriptions) => subscriptions.add(scheduleList(settings)),
    subscribeDomainLoginList: (_, subscriptions) => subscriptions.add(domainLoginList(settings)),

    unsubscribe: ({ subscriptionId }, subscriptions) => {
      subscriptions.remove(subscriptionId);
      return undefined;
    },
  };
}
