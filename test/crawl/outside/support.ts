/** A crawl server that really crawls, and what a client does with it, over a WebSocket. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { TestContext } from 'node:test';
import type { CrawlResponse, Event, Job, PolicySchema } from '../../../src/crawl/proto/starbelly_pb.ts';
import type { CrawlProgram } from '../../../src/programs/crawl.ts';
import { policy } from '../jobs/support.ts';
import type { ApiClient } from '../support/client.ts';
import { crawlServer, type ServerOptions } from '../support/server.ts';

export interface Outside {
  readonly program: CrawlProgram;
  readonly asking: ApiClient;
  readonly client: () => Promise<ApiClient>;
}

/** Without a delay for any host. */
export async function outside(t: TestContext, given: ServerOptions['given'] = {}): Promise<Outside> {
  const { program, client } = await crawlServer(t, 'real', { given: { allowLocalhost: true, minFreeSpace: 0, ...given } });
  const asking = await client();
  await asking.done({ case: 'setRateLimit', value: { delay: 0 } });
  return { program, asking, client };
}

/** A policy that follows links within the hosts of its seeds, but for what is changed. */
export async function newPolicy(asking: ApiClient, change: MessageInitShape<typeof PolicySchema> = {}): Promise<Uint8Array> {
  return (await asking.get({ case: 'setPolicy', value: { policy: policy(change) } }, 'newPolicy')).policyId;
}

export async function newJob(asking: ApiClient, policyId: Uint8Array, ...seeds: readonly string[]): Promise<Uint8Array> {
  return (await asking.get({ case: 'setJob', value: { policyId, seeds: [...seeds] } }, 'newJob')).jobId;
}

export const jobOf = (asking: ApiClient, jobId: Uint8Array): Promise<Job> => asking.get({ case: 'getJob', value: { jobId } }, 'job');

export async function sync(asking: ApiClient, jobId: Uint8Array, syncToken?: Uint8Array): Promise<number> {
  const value = { jobId, compressionOk: false, ...(syncToken === undefined ? {} : { syncToken }) };
  return (await asking.get({ case: 'subscribeJobSync', value }, 'newSubscription')).subscriptionId;
}

export const itemsIn = (events: readonly Event[]): CrawlResponse[] =>
  events.flatMap(({ Body: body }) => (body.case === 'syncItem' && body.value.item !== undefined ? [body.value.item] : []));

/** What a stream has had when it ends by itself. */
export async function untilClosed(asking: ApiClient, subscriptionId: number): Promise<CrawlResponse[]> {
  return asking.until(() => {
    const events = asking.events(subscriptionId);
    return events.some(({ Body: body }) => body.case === 'subscriptionClosed') ? itemsIn(events) : undefined;
  });
}

/** Made, and ended by itself. */
export async function crawled(
  asking: ApiClient,
  change: MessageInitShape<typeof PolicySchema>,
  ...seeds: readonly string[]
): Promise<{ readonly job: Job; readonly items: readonly CrawlResponse[] }> {
  const jobId = await newJob(asking, await newPolicy(asking, change), ...seeds);
  const items = await untilClosed(asking, await sync(asking, jobId));
  return { job: await jobOf(asking, jobId), items };
}

export const pathsIn = (items: readonly CrawlResponse[]): string[] =>
  items.map(({ url }) => new URL(url).pathname + new URL(url).search).sort();
