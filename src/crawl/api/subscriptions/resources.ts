/** The resource monitor: frames that are kept, then each new one. Who is ten frames behind misses some. */
import type { Resources } from '../../monitor/resources.ts';
import type { ResourceFrame } from '../../proto/starbelly_pb.ts';
import type { Feed, Subscription } from '../subscriptions.ts';

const MAX_BEHIND = 10;

export function resourceSubscription(resources: Resources, history: number): Subscription {
  const waiting: ResourceFrame[] = [];
  let sending = false;
  let feed: Feed | undefined;

  const send = async (to: Feed) => {
    if (sending) return;
    sending = true;
    for (let frame = waiting.shift(); frame !== undefined && to.open; frame = waiting.shift()) {
      to.send({ case: 'resourceFrame', value: frame });
      await to.room();
    }
    sending = false;
  };
  const onFrame = (frame: ResourceFrame) => {
    if (feed === undefined || waiting.length >= MAX_BEHIND) return;
    waiting.push(frame);
    void send(feed);
  };

  return {
    name: 'Resource Monitor Subscription',
    start(to) {
      feed = to;
      waiting.push(...resources.newest(history));
      void send(to);
      resources.on('frame', onFrame);
    },
    stop: () => void resources.off('frame', onFrame),
  };
}
