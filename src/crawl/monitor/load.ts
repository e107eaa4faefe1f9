/** What the crawl says of itself, for the resource monitor. */
import { create } from '@bufbuild/protobuf';
import type { Jobs } from '../jobs/types.ts';
import { ResourceFrameJobSchema } from '../proto/starbelly_pb.ts';
import type { CrawlLoad } from './resources.ts';

export function loadOf(jobs: Jobs): CrawlLoad {
  const { current, maximum, rateLimiter, perJob } = jobs.downloads();
  return {
    currentDownloads: current,
    maximumDownloads: maximum,
    rateLimiter,
    jobs: [...perJob.values()].map(({ id, name, current: downloads }) =>
      create(ResourceFrameJobSchema, { jobId: id, name, currentDownloads: downloads }),
    ),
  };
}
