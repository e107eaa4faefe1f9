/**
 * Lists that report their changes: all that is in one, then what is added, changed or taken away.
 *
 * For a client that does not take them, changes wait as one for each entry, the last.
 */
import { create } from '@bufbuild/protobuf';
import { hexOf } from '../../ids.ts';
import {
  DomainLoginEvent_EventType as LoginEvent,
  DomainLoginEventSchema,
  PolicyEvent_EventType as PolicyKind,
  PolicyEventSchema,
  ScheduleEvent_EventType as ScheduleKind,
  ScheduleEventSchema,
  type DomainLogin,
  type Policy,
  type Schedule,
} from '../../proto/starbelly_pb.ts';
import type { ChangeKind, ListChanges } from '../../settings/list-changes.ts';
import type { Settings } from '../../settings/settings.ts';
import type { EventBody } from '../envelope.ts';
import type { Feed, Subscription } from '../subscriptions.ts';

interface List<Entry> {
  readonly name: string;
  readonly all: () => readonly Entry[];
  readonly changes: ListChanges<Entry>;
  readonly key: (entry: Entry) => string;
  readonly tell: (kind: ChangeKind, entry: Entry) => EventBody;
}

export function policyList({ policies }: Settings): Subscription {
  return listSubscription<Policy>({
    name: 'Policy List Subscription',
    all: () => policies.list(),
    changes: policies.changes,
    key: ({ policyId }) => hexOf(policyId),
    tell: (kind, { policyId, name }) => {
      const eventType = { added: PolicyKind.ADDED, updated: PolicyKind.UPDATED, deleted: PolicyKind.DELETED }[kind];
      return { case: 'policyEvent', value: create(PolicyEventSchema, { eventType, policyId, name }) };
    },
  });
}

export function scheduleList({ schedules }: Settings): Subscription {
  return listSubscription<Schedule>({
    name: 'Schedule List Subscription',
    all: () => schedules.list(),
    changes: schedules.changes,
    key: ({ scheduleId }) => hexOf(scheduleId),
    tell: (kind, { scheduleId, scheduleName }) => {
      const eventType = { added: ScheduleKind.ADDED, updated: ScheduleKind.UPDATED, deleted: ScheduleKind.DELETED }[kind];
      return { case: 'scheduleEvent', value: create(ScheduleEventSchema, { eventType, scheduleId, scheduleName }) };
    },
  });
}

export function domainLoginList({ logins }: Settings): Subscription {
  return listSubscription<DomainLogin>({
    name: 'Domain Login List Subscription',
    all: () => logins.list(),
    changes: logins.changes,
    key: ({ domain }) => domain,
    tell: (kind, { domain }) => {
      const eventType = { added: LoginEvent.ADDED, updated: LoginEvent.UPDATED, deleted: LoginEvent.DELETED }[kind];
      return { case: 'domainLoginEvent', value: create(DomainLoginEventSchema, { eventType, domain }) };
    },
  });
}

function listSubscription<Entry>({ name, all, changes, key, tell }: List<Entry>): Subscription {
  /** by entry, in the order of their first change */
  const waiting = new Map<string, readonly [ChangeKind, Entry]>();
  let sending = false;
  let feed: Feed | undefined;

  const send = async (to: Feed) => {
    if (sending) return;
    sending = true;
    for (let [next] = waiting; next !== undefined && to.open; [next] = waiting) {
      const [entryKey, [kind, entry]] = next;
      waiting.delete(entryKey);
      to.send(tell(kind, entry));
      await to.room();
    }
    sending = false;
  };
  const onChange = (kind: ChangeKind, entry: Entry) => {
    if (feed === undefined) return;
    const unknown = waiting.get(key(entry))?.[0] === 'added';
    waiting.set(key(entry), [unknown && kind === 'updated' ? 'added' : kind, entry]);
    void send(feed);
  };

  return {
    name,
    start(to) {
      feed = to;
      for (const entry of all()) waiting.set(key(entry), ['added', entry]);
      changes.on('change', onChange);
      void send(to);
    },
    stop: () => void changes.off('change', onChange),
  };
}
