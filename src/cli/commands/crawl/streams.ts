/** `warctap crawl subscribe-…`: what a server tells of as it happens, a line of JSON each. */
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { REFUSED, wholeNumber, type Kind } from '../../../options/kinds.ts';
import { group } from '../../../options/row.ts';
import { asking, idIn, NUMBER, ONE_OR_ZERO, print } from './asking.ts';

const TOKEN: Kind<Uint8Array> = {
  expected: 'a token as a line before has it, in Base64, or 18 hexadecimal digits',
  shape: 'value',
  read(input) {
    if (typeof input !== 'string') return REFUSED;
    if (/^[0-9a-f]{18}$/i.test(input)) return Buffer.from(input, 'hex');
    return /^[A-Za-z0-9+/]{12}$/.test(input) ? Buffer.from(input, 'base64') : REFUSED;
  },
};

async function printLines<Desc extends DescMessage>(schema: Desc, messages: AsyncIterable<MessageShape<Desc>>): Promise<void> {
  const { toJsonString } = await import('@bufbuild/protobuf');
  for await (const message of messages) await print(`${toJsonString(schema, message)}\n`);
}

export const streams = [
  asking({
    name: 'subscribe-job-status',
    summary: 'Print all jobs of the last day, then what changes of them.',
    own: group('Options', {
      minInterval: { argument: 'S', kind: NUMBER, default: 1, summary: 'seconds between two lines at least' },
    }),
    run: async ({ own: { minInterval = 1 }, client }) => {
      const { JobListSchema } = await import('../../../crawl/client.ts');
      const { create } = await import('@bufbuild/protobuf');
      const lists = async function* () {
        for await (const jobs of client.jobStatus(minInterval)) yield create(JobListSchema, { jobs });
      };
      await printLines(JobListSchema, lists());
    },
  }),
  asking({
    name: 'subscribe-job-sync',
    summary: 'Print what a job has fetched and fetches, an item a line, until it has ended.',
    operands: { name: '[JOB]', summary: 'an identifier: hexadecimal digits, a UUID or Base64' },
    takes: [1, 1],
    own: group('Options', {
      syncToken: {
        argument: 'TOKEN',
        kind: TOKEN,
        defaultText: 'none: from the first item on',
        summary: 'go on after the item that had it',
      },
      compressionOk: { argument: '0|1', kind: ONE_OR_ZERO, default: true, defaultText: '1', summary: 'bodies may be compressed by gzip' },
    }),
    run: async ({ operands: [id], own: { syncToken, compressionOk = true }, client }) => {
      const { SyncItemSchema } = await import('../../../crawl/client.ts');
      const from = syncToken === undefined ? {} : { token: syncToken };
      await printLines(SyncItemSchema, client.jobSync(idIn(id), { ...from, compressionOk }));
    },
  }),
  asking({
    name: 'subscribe-job-log',
    summary: 'Print why a job did not fetch something, a line for each case.',
    operands: { name: '[JOB]', summary: 'an identifier: hexadecimal digits, a UUID or Base64' },
    takes: [1, 1],
    run: async ({ operands: [id], client }) => {
      const { JobLogLineSchema } = await import('../../../crawl/client.ts');
      await printLines(JobLogLineSchema, client.jobLog(idIn(id)));
    },
  }),
  asking({
    name: 'subscribe-resource-monitor',
    summary: 'Print what the machine of the server does, a line each second.',
    own: group('Options', {
      history: { argument: 'N', kind: wholeNumber(0, 300), default: 300, summary: 'lines of the time before' },
    }),
    run: async ({ own: { history = 300 }, client }) => {
      const { ResourceFrameSchema } = await import('../../../crawl/client.ts');
      await printLines(ResourceFrameSchema, client.resources(history));
    },
  }),
  asking({
    name: 'subscribe-task-monitor',
    summary: 'Print what runs within the server, as a tree in a line.',
    own: group('Options', { period: { argument: 'S', kind: NUMBER, default: 3, summary: 'seconds between two lines' } }),
    run: async ({ own: { period = 3 }, client }) => {
      const { TaskTreeSchema } = await import('../../../crawl/client.ts');
      await printLines(TaskTreeSchema, client.tasks(period));
    },
  }),
] as const;
