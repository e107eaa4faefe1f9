/** The tree of what runs, from the parts that run: nothing is kept for it. Names are those of the published server. */
import { create } from '@bufbuild/protobuf';
import { hexOf } from '../ids.ts';
import type { Jobs } from '../jobs/types.ts';
import { JobRunState, TaskTreeSchema, type TaskTree } from '../proto/starbelly_pb.ts';

/** What is shown of a connection. */
export interface ConnectionTasks {
  /** requests that are being answered */
  readonly running: number;
  readonly subscriptions: { readonly names: readonly string[] };
}

const JOB_PARTS = ['Downloader', 'Extractor', 'Frontier', 'Storage'];
const ID_DIGITS = 8;

export function taskTree(jobs: Jobs, connections: Iterable<ConnectionTasks>): TaskTree {
  const running = jobs.tracked().filter(({ runState }) => runState === JobRunState.RUNNING);
  const crawls = running.map(({ id }) =>
    task(
      `Job id=${hexOf(id).slice(0, ID_DIGITS)}`,
      JOB_PARTS.map((name) => task(name)),
    ),
  );
  const served = [...connections].map(({ running: requests, subscriptions }) =>
    task('Connection', [
      ...Array.from({ length: requests }, () => task('Request Handler')),
      ...subscriptions.names.map((name) => task(name)),
    ]),
  );
  return task('<Root>', [
    task('Crawl Manager', crawls),
    task('Rate Limiter'),
    task('Resource Monitor'),
    task('Scheduler'),
    task('Server', [task('Connection Listener'), ...served]),
  ]);
}

function task(name: string, subtasks: TaskTree[] = []): TaskTree {
  return create(TaskTreeSchema, { name, subtasks: subtasks.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)) });
}
