/** The task monitor: the tree of what runs, at once and then again and again. Who is behind gets the next one. */
import type { TaskTree } from '../../proto/starbelly_pb.ts';
import type { Subscription } from '../subscriptions.ts';

const MIN_PERIOD = 0.1;
const MAX_PERIOD = 86_400;

/** @param period in seconds */
export function taskSubscription(tree: () => TaskTree, period: number): Subscription {
  let timer: NodeJS.Timeout | undefined;
  return {
    name: 'Task Monitor Subscription',
    start(feed) {
      const send = () => {
        if (feed.room() === undefined) feed.send({ case: 'taskTree', value: tree() });
      };
      send();
      timer = setInterval(send, Math.min(Math.max(period, MIN_PERIOD), MAX_PERIOD) * 1000);
    },
    stop: () => clearInterval(timer),
  };
}
