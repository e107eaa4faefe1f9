/** Lists that report their changes, the resource monitor and the task monitor. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DomainLoginEvent_EventType as LoginEvent,
  PolicyEvent_EventType as PolicyEvent,
  ScheduleEvent_EventType as ScheduleEvent,
  ScheduleTimeUnit,
  ScheduleTiming,
  type Event,
  type TaskTree,
} from '../../../src/crawl/proto/starbelly_pb.ts';
import { goodPolicy } from '../support/policies.ts';
import { crawlServer } from '../support/server.ts';

test('lists: what there is, then each change of it', async (t) => {
  const { client } = await crawlServer(t);
  const asking = await client();
  const subscribe = async (name: 'subscribePolicyList' | 'subscribeScheduleList' | 'subscribeDomainLoginList') =>
    (await asking.get({ case: name, value: {} }, 'newSubscription')).subscriptionId;
  const [policies, schedules, logins] = [
    await subscribe('subscribePolicyList'),
    await subscribe('subscribeScheduleList'),
    await subscribe('subscribeDomainLoginList'),
  ];
  const { policyId } = await asking.get({ case: 'setPolicy', value: { policy: goodPolicy({ name: 'Mine' }) } }, 'newPolicy');
  await asking.done({ case: 'setPolicy', value: { policy: goodPolicy({ policyId, name: 'Yours' }) } });
  const schedule = {
    scheduleName: 'Daily',
    seeds: ['http://a.example/'],
    policyId,
    numUnits: 1,
    timeUnit: ScheduleTimeUnit.DAYS,
    timing: ScheduleTiming.REGULAR_INTERVAL,
  };
  const { scheduleId } = await asking.get({ case: 'setSchedule', value: { schedule } }, 'newSchedule');
  await asking.done({ case: 'deleteSchedule', value: { scheduleId } });
  await asking.done({ case: 'deletePolicy', value: { policyId } });
  await asking.done({ case: 'setDomainLogin', value: { login: { domain: 'a.example', loginUrl: 'http://a.example/' } } });
  await asking.done({ case: 'setDomainLogin', value: { login: { domain: 'a.example' } } });

  const told = (event: Event) => {
    const { value } = event.Body;
    assert.ok(value !== undefined && 'eventType' in value);
    return [value.eventType, 'name' in value ? value.name : 'scheduleName' in value ? value.scheduleName : value.domain];
  };
  assert.deepEqual((await asking.eventsOf(policies, 5)).map(told), [
    [PolicyEvent.ADDED, 'Broad Crawl'],
    [PolicyEvent.ADDED, 'Deep Crawl'],
    [PolicyEvent.ADDED, 'Mine'],
    [PolicyEvent.UPDATED, 'Yours'],
    [PolicyEvent.DELETED, 'Yours'],
  ]);
  assert.deepEqual((await asking.eventsOf(schedules, 2)).map(told), [
    [ScheduleEvent.ADDED, 'Daily'],
    [ScheduleEvent.DELETED, 'Daily'],
  ]);
  assert.deepEqual((await asking.eventsOf(logins, 2)).map(told), [
    [LoginEvent.ADDED, 'a.example'],
    [LoginEvent.UPDATED, 'a.example'],
  ]);
});

test('resources: the frames that are kept, oldest first, then one a second', async (t) => {
  const { client } = await crawlServer(t);
  const asking = await client();
  const subscribe = async (history: number) =>
    (await asking.get({ case: 'subscribeResourceMonitor', value: { history } }, 'newSubscription')).subscriptionId;
  const first = await subscribe(0);
  const live = (await asking.eventsOf(first, 2)).map(({ Body: body }) => (body.case === 'resourceFrame' ? body.value : undefined));
  const frame = live[1]!;
  assert.match(frame.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$/);
  assert.ok(frame.cpus.length > 0 && frame.cpus.every(({ usage }) => usage >= 0 && usage <= 100));
  assert.ok(frame.memory!.used > 0n && frame.memory!.used < frame.memory!.total);
  assert.deepEqual([frame.currentDownloads, frame.maximumDownloads, frame.rateLimiter], [0, 20, 0]);
  if (process.platform === 'linux') {
    assert.ok(frame.disks.length > 0 && frame.disks.every(({ mount, used, total }) => mount.startsWith('/') && used <= total));
    assert.ok(frame.networks.some(({ name, sent, received }) => name === 'lo' && sent > 0n && received > 0n));
  }
  const second = await subscribe(2);
  const stamps = (events: readonly Event[]) => events.map(({ Body: body }) => (body.case === 'resourceFrame' ? body.value.timestamp : ''));
  const kept = stamps(await asking.eventsOf(second, 2)).slice(0, 2);
  const sent = stamps(asking.events(first));
  const at = sent.indexOf(kept[0]!);
  assert.deepEqual(sent.slice(at, at + 2), kept);
});

test('tasks: a tree at once, and again after each period', async (t) => {
  const { client } = await crawlServer(t);
  const asking = await client();
  const { subscriptionId } = await asking.get({ case: 'subscribeTaskMonitor', value: { period: 0.1 } }, 'newSubscription');
  const [first, second] = (await asking.eventsOf(subscriptionId, 2)).map(({ Body: body }) =>
    body.case === 'taskTree' ? body.value : undefined,
  );
  const shown = ({ name, subtasks }: TaskTree): unknown => (subtasks.length === 0 ? name : [name, ...subtasks.map(shown)]);
  assert.deepEqual(shown(second!), [
    '<Root>',
    'Crawl Manager',
    'Rate Limiter',
    'Resource Monitor',
    'Scheduler',
    ['Server', ['Connection', 'Task Monitor Subscription'], 'Connection Listener'],
  ]);
  assert.equal(first!.name, '<Root>');
});
