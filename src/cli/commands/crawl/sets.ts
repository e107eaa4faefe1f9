/** `warctap crawl set-…`: settings, from a file of JSON as the get-… commands print it, or from flags. */
import type { DescMessage, JsonValue } from '@bufbuild/protobuf';
import { anyText } from '../../../options/kinds.ts';
import { group } from '../../../options/row.ts';
import { reasonOf } from '../../../util/thrown.ts';
import { UsageError } from '../../exit.ts';
import { answer, asking, NUMBER, textOf } from './asking.ts';

const FILE = { name: '[FILE]', summary: 'a file of JSON, or - for standard input' } as const;

/** @throws UsageError for what is no such message */
export async function messageIn<Desc extends DescMessage>(file: string, schema: Desc) {
  const text = await textOf(file);
  const { fromJson } = await import('@bufbuild/protobuf');
  try {
    return fromJson(schema, JSON.parse(text) as JsonValue);
  } catch (error) {
    throw new UsageError(`${file}: expected a ${schema.typeName} as JSON: ${reasonOf(error)}`, { cause: error });
  }
}

export const sets = [
  asking({
    name: 'set-policy',
    summary: 'Make a policy, or replace the one whose policyId it has.',
    operands: FILE,
    takes: [1, 1],
    run: async ({ operands: [file = '-'], client }) => {
      const { PolicySchema } = await import('../../../crawl/client.ts');
      await answer(client, { case: 'setPolicy', value: { policy: await messageIn(file, PolicySchema) } });
    },
  }),
  asking({
    name: 'set-schedule',
    summary: 'Make a schedule, or replace the one whose scheduleId it has.',
    operands: FILE,
    takes: [1, 1],
    run: async ({ operands: [file = '-'], client }) => {
      const { ScheduleSchema } = await import('../../../crawl/client.ts');
      await answer(client, { case: 'setSchedule', value: { schedule: await messageIn(file, ScheduleSchema) } });
    },
  }),
  asking({
    name: 'set-rate-limit',
    summary: 'Set the seconds between two requests to a host, or to all others.',
    operands: { name: '[DOMAIN]', summary: 'a host, or nothing for all that have no limit of their own' },
    takes: [0, 1],
    own: group('Options', {
      delay: { argument: 'S', kind: NUMBER, defaultText: 'none: the limit is deleted', summary: 'seconds, with decimals' },
    }),
    run: ({ operands: [domain], own: { delay }, client }) =>
      answer(client, {
        case: 'setRateLimit',
        value: { ...(domain === undefined ? {} : { domain }), ...(delay === undefined ? {} : { delay }) },
      }),
  }),
  asking({
    name: 'set-domain-login',
    summary: 'Make the login to a site, or change it.',
    operands: FILE,
    takes: [1, 1],
    run: async ({ operands: [file = '-'], client }) => {
      const { DomainLoginSchema } = await import('../../../crawl/client.ts');
      await answer(client, { case: 'setDomainLogin', value: { login: await messageIn(file, DomainLoginSchema) } });
    },
  }),
  asking({
    name: 'set-captcha-solver',
    summary: 'Make a CAPTCHA solver, or replace the one whose solverId it has.',
    operands: FILE,
    takes: [1, 1],
    run: async ({ operands: [file = '-'], client }) => {
      const { CaptchaSolverSchema } = await import('../../../crawl/client.ts');
      await answer(client, { case: 'setCaptchaSolver', value: { solver: await messageIn(file, CaptchaSolverSchema) } });
    },
  }),
  asking({
    name: 'performance-profile',
    summary: 'Print where the time of the server goes, function by function.',
    own: group('Options', {
      duration: { argument: 'S', kind: NUMBER, default: 5, summary: 'seconds to look, at most 60' },
      sortBy: { argument: 'KEY', kind: anyText, default: 'total_time', summary: 'file, function, calls, total_time or cumulative_time …' },
      topN: { argument: 'N', kind: NUMBER, defaultText: 'all', summary: 'functions to print' },
    }),
    run: ({ own: { duration = 5, sortBy = 'total_time', topN }, client }) =>
      answer(client, {
        case: 'performanceProfile',
        value: { duration, sortBy, ...(topN === undefined ? {} : { topN: Math.floor(topN) }) },
      }),
  }),
] as const;
