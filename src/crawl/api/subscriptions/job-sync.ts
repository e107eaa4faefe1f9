/** The items of a job, those there are and those that come, as fast as the client takes them. */
import { create } from '@bufbuild/protobuf';
import type { Log } from '../../../util/log.ts';
import { reasonOf } from '../../../util/thrown.ts';
import { JobDeletedError, type ReadItem } from '../../jobs/types.ts';
import { SyncItemSchema } from '../../proto/starbelly_pb.ts';
import { itemMessage } from '../job-messages.ts';
import type { Feed, Subscription } from '../subscriptions.ts';
import { tokenOf } from '../sync-token.ts';

/** @param leaving is aborted when nobody listens any more */
export function jobSyncSubscription(items: AsyncIterable<ReadItem>, leaving: AbortController, log: Log): Subscription {
  const send = async (feed: Feed) => {
    try {
      for await (const item of items) {
        if (!feed.open) return;
        const value = create(SyncItemSchema, { item: itemMessage(item), token: tokenOf(item.sequence) });
        feed.send({ case: 'syncItem', value });
        await feed.room();
      }
      feed.end();
    } catch (error) {
      if (!feed.open) return;
      if (!(error instanceof JobDeletedError)) log.error({ err: error }, `the items of a job cannot be read: ${reasonOf(error)}`);
      feed.end(error instanceof JobDeletedError ? 'The job was deleted.' : `The items cannot be read: ${reasonOf(error)}`);
    }
  };
  return { name: 'Crawl Sync Subscription', start: (feed) => void send(feed), stop: () => leaving.abort() };
}
