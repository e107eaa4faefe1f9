/**
 * The status of jobs: all that are tracked, at once, and then what changes, at most so often.
 *
 * What has changed is told as the difference to what was sent last, so that it may wait as long as it must, and the last state comes in
 * any case.
 */
import { create } from '@bufbuild/protobuf';
import { hexOf } from '../../ids.ts';
import type { Id, Job, Jobs } from '../../jobs/types.ts';
import { JobListSchema, JobRunState, JobSchema, type Job as JobMessage } from '../../proto/starbelly_pb.ts';
import { changedJob, trackedJob } from '../job-messages.ts';
import type { Feed, Subscription } from '../subscriptions.ts';

const MIN_INTERVAL = 0.1;
const MAX_INTERVAL = 86_400;

/** @param interval in seconds */
export function jobStatusSubscription(jobs: Jobs, interval: number): Subscription {
  const pauseMs = (interval > 0 ? Math.min(interval, MAX_INTERVAL) : MIN_INTERVAL) * 1000;
  /** by identifier: what the client has been told */
  const told = new Map<string, Job>();
  const changed = new Map<string, Id>();
  let timer: NodeJS.Timeout | undefined;
  let unsubscribe = (): void => undefined;

  const messageOf = (key: string, id: Id): JobMessage | undefined => {
    const before = told.get(key);
    const now = jobs.peek(id);
    if (now === undefined) {
      told.delete(key);
      return before && create(JobSchema, { jobId: id, runState: JobRunState.DELETED });
    }
    told.set(key, now);
    return before === undefined ? trackedJob(now) : changedJob(before, now);
  };

  const send = (feed: Feed) => {
    const messages = [...changed].map(([key, id]) => messageOf(key, id)).filter((message) => message !== undefined);
    changed.clear();
    if (messages.length > 0) feed.send({ case: 'jobList', value: create(JobListSchema, { jobs: messages }) });
    forgetOld();
    return messages.length > 0;
  };

  /** Those that ended long ago are not tracked any more, and change no more. */
  const forgetOld = () => {
    for (const [key, { id, completedAt }] of told) if (completedAt !== undefined && jobs.peek(id) === undefined) told.delete(key);
  };

  /** Nothing is sent before the interval is over, and the client has taken what was sent. */
  const wait = (feed: Feed) => {
    timer = setTimeout(() => {
      timer = undefined;
      const room = feed.room();
      if (room !== undefined) void room.then(() => feed.open && wait(feed));
      else if (changed.size > 0 && send(feed)) wait(feed);
    }, pauseMs);
  };

  return {
    name: 'Job Status Subscription',
    start(feed) {
      const all = jobs.tracked();
      for (const job of all) told.set(hexOf(job.id), job);
      feed.send({ case: 'jobList', value: create(JobListSchema, { jobs: all.map(trackedJob) }) });
      wait(feed);
      unsubscribe = jobs.onChange(({ id }) => {
        changed.set(hexOf(id), id);
        if (timer !== undefined || !feed.open) return;
        // The interval since the last event is over: what changes together is told together.
        timer = setTimeout(() => {
          timer = undefined;
          if (send(feed)) wait(feed);
        });
      });
    },
    stop() {
      unsubscribe();
      clearTimeout(timer);
    },
  };
}
