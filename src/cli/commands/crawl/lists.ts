/** `warctap crawl get-…`, `list-…`, `delete-…`: what is told, and taken away, by an identifier or a page. */
import type { CommandInit } from '../../../crawl/client.ts';
import { anyText, wholeNumber } from '../../../options/kinds.ts';
import { group } from '../../../options/row.ts';
import { answer, asking, ID, idIn } from './asking.ts';

export const PAGE = group('Options', {
  limit: { argument: 'N', kind: wholeNumber(0, 1000), default: 10, summary: 'entries of a page' },
  offset: { argument: 'N', kind: wholeNumber(0, 2_147_483_647), default: 0, summary: 'entries before it' },
});

/** One that takes an identifier. */
const byId = (name: string, summary: string, what: string, command: (id: Uint8Array) => CommandInit) =>
  asking({
    name,
    summary,
    operands: { name: `[${what}]`, summary: 'an identifier: hexadecimal digits, a UUID or Base64' },
    takes: [1, 1],
    run: ({ operands: [id], client }) => answer(client, command(idIn(id))),
  });

const byDomain = (name: string, summary: string, command: (domain: string) => CommandInit) =>
  asking({
    name,
    summary,
    operands: { name: '[DOMAIN]', summary: 'the host that it is for' },
    takes: [1, 1],
    run: ({ operands: [domain = ''], client }) => answer(client, command(domain)),
  });

const paged = (name: string, summary: string, command: (page: { limit: number; offset: number }) => CommandInit) =>
  asking({
    name,
    summary,
    own: PAGE,
    run: ({ own: { limit = 10, offset = 0 }, client }) => answer(client, command({ limit, offset })),
  });

export const lists = [
  byId('get-policy', 'Print a policy with all of its rules.', 'POLICY', (policyId) => ({ case: 'getPolicy', value: { policyId } })),
  paged('list-policies', 'Print names and identifiers of the policies.', (page) => ({ case: 'listPolicies', value: { page } })),
  byId('delete-policy', 'Delete a policy that no schedule uses.', 'POLICY', (policyId) => ({ case: 'deletePolicy', value: { policyId } })),
  byId('get-schedule', 'Print a schedule of jobs.', 'SCHEDULE', (scheduleId) => ({ case: 'getSchedule', value: { scheduleId } })),
  paged('list-schedules', 'Print the schedules of jobs.', (page) => ({ case: 'listSchedules', value: { page } })),
  asking({
    name: 'list-schedule-jobs',
    summary: 'Print the jobs that a schedule has made, newest first.',
    operands: { name: '[SCHEDULE]', summary: 'an identifier: hexadecimal digits, a UUID or Base64' },
    takes: [1, 1],
    own: PAGE,
    run: ({ operands: [id], own: { limit = 10, offset = 0 }, client }) =>
      answer(client, { case: 'listScheduleJobs', value: { scheduleId: idIn(id), page: { limit, offset } } }),
  }),
  byId('delete-schedule', 'Delete a schedule; its jobs stay.', 'SCHEDULE', (scheduleId) => ({
    case: 'deleteSchedule',
    value: { scheduleId },
  })),
  paged('list-rate-limits', 'Print the rate limits of hosts.', (page) => ({ case: 'listRateLimits', value: { page } })),
  byDomain('get-domain-login', 'Print the login to a site, with its passwords.', (domain) => ({
    case: 'getDomainLogin',
    value: { domain },
  })),
  paged('list-domain-logins', 'Print the logins to sites, with passwords.', (page) => ({ case: 'listDomainLogins', value: { page } })),
  byDomain('delete-domain-login', 'Delete the login to a site.', (domain) => ({ case: 'deleteDomainLogin', value: { domain } })),
  byId('get-captcha-solver', 'Print a CAPTCHA solver, with its key.', 'SOLVER', (solverId) => ({
    case: 'getCaptchaSolver',
    value: { solverId },
  })),
  paged('list-captcha-solvers', 'Print the CAPTCHA solvers, with keys.', (page) => ({ case: 'listCaptchaSolvers', value: { page } })),
  byId('delete-captcha-solver', 'Delete a CAPTCHA solver that no policy uses.', 'SOLVER', (solverId) => ({
    case: 'deleteCaptchaSolver',
    value: { solverId },
  })),
  byId('delete-job', 'Delete a job that has ended, with its items; WARC files stay.', 'JOB', (jobId) => ({
    case: 'deleteJob',
    value: { jobId },
  })),
] as const;

export const JOB_FILTER = group('Options', {
  startedAfter: { argument: 'TIME', kind: anyText, defaultText: 'none', summary: 'only jobs that were started later (RFC 3339)' },
  tag: { argument: 'TAG', kind: anyText, defaultText: 'none', summary: 'only jobs with this tag' },
  scheduleId: { argument: 'ID', kind: ID, defaultText: 'none', summary: 'only jobs of this schedule' },
});
