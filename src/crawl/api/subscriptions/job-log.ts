/** The log of a job: lines that are kept, then each new one, until the job is deleted. Who does not read misses some, and is told how many. */
import { create } from '@bufbuild/protobuf';
import { hexOf } from '../../ids.ts';
import type { Id, JobLogLine, Jobs } from '../../jobs/types.ts';
import { JobLogLineSchema, type JobLogLine as LineMessage } from '../../proto/starbelly_pb.ts';
import { timeText } from '../../times.ts';
import type { Feed, Subscription } from '../subscriptions.ts';

const MAX_WAITING = 1000;

export function jobLogSubscription(jobs: Jobs, id: Id): Subscription {
  const waiting: JobLogLine[] = [];
  let missed = 0;
  let sending = false;
  let end = (): void => undefined;

  const send = async (feed: Feed) => {
    if (sending) return;
    sending = true;
    for (let line = waiting.shift(); line !== undefined && feed.open; line = waiting.shift()) {
      feed.send({ case: 'jobLogLine', value: lineMessage(line) });
      await feed.room();
    }
    if (missed > 0 && feed.open)
      feed.send({ case: 'jobLogLine', value: create(JobLogLineSchema, { reason: 'missed', detail: `${missed} lines` }) });
    missed = 0;
    sending = false;
  };

  return {
    name: 'Job Log Subscription',
    start(feed) {
      waiting.push(...jobs.log(id));
      const endLines = jobs.onLog(id, (line) => {
        if (waiting.length < MAX_WAITING) waiting.push(line);
        else missed++;
        void send(feed);
      });
      const endChanges = jobs.onChange((change) => {
        if (change.kind === 'deleted' && hexOf(change.id) === hexOf(id)) feed.end('The job was deleted.');
      });
      end = () => {
        endLines();
        endChanges();
      };
      void send(feed);
    },
    stop: () => end(),
  };
}

export function lineMessage({ at, reason, url, detail }: JobLogLine): LineMessage {
  return create(JobLogLineSchema, { timestamp: timeText(at), reason, url, detail });
}
