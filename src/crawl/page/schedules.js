/** Schedules: the list of them, the form of one, and the jobs that it has made. */
import { checkField, choiceField, group, linesField, numberField, textField } from './fields.js';
import { form, present } from './form.js';
import { jobList, policyChoices } from './jobs.js';
import { listView } from './list-view.js';
import { cell, linkCell, section } from './parts.js';
import { element, number } from '../../web/page/show.js';
import { hexOf, idOf } from './values.js';
import { ask } from './wire.js';

const UNITS = ['MINUTES', 'HOURS', 'DAYS', 'WEEKS', 'MONTHS', 'YEARS'].map((unit) => [unit, unit.toLowerCase()]);
const TIMINGS = [
  ['REGULAR_INTERVAL', 'after the last one has begun; one that still runs is cancelled'],
  ['AFTER_PREVIOUS_JOB_FINISHED', 'after the last one has ended'],
];

export async function schedulesView(place) {
  await listView(place, {
    title: 'Schedules',
    heads: [['Name'], ['Makes jobs'], ['Every'], ['Jobs', 'number']],
    empty: 'There is no schedule.',
    make: ['New schedule', '#/schedules/new'],
    list: async (page) => {
      const { listSchedules } = await ask({ listSchedules: { page } });
      return { found: listSchedules.schedules ?? [], total: listSchedules.total ?? 0 };
    },
    cells: ({ scheduleId, scheduleName, enabled, numUnits, timeUnit, jobCount = 0 }) => [
      linkCell(scheduleName || 'without a name', `#/schedules/${hexOf(scheduleId)}`),
      cell(enabled ? 'yes' : 'no'),
      cell(`${numUnits} ${timeUnit.toLowerCase()}`),
      cell(number(jobCount), 'number'),
    ],
    nameOf: ({ scheduleName }) => scheduleName || 'the schedule without a name',
    remove:
      ({ scheduleId }) =>
      () =>
        ask({ deleteSchedule: { scheduleId } }),
  });
}

/** @param which hexadecimal identifier, or `new` */
export async function scheduleView(place, which) {
  const isNew = which === 'new';
  const { schedule } = isNew
    ? { schedule: { enabled: true, numUnits: 1, timeUnit: 'DAYS' } }
    : await ask({ getSchedule: { scheduleId: idOf(which) } });
  const fields = {
    scheduleName: textField({ label: 'Name', value: schedule.scheduleName, says: /schedule.?name/i }),
    enabled: checkField({ label: 'Makes jobs, the first in a minute', value: schedule.enabled }),
    numUnits: numberField({ label: 'Every', value: schedule.numUnits, min: 1, says: /time units must|num.?units/i }),
    timeUnit: choiceField({ label: 'Unit', value: schedule.timeUnit, options: UNITS, says: /time.?unit\b/i }),
    timing: choiceField({ label: 'The next one begins so long', value: schedule.timing, options: TIMINGS, says: /timing/i }),
    policyId: choiceField({
      label: 'Policy',
      value: schedule.policyId && hexOf(schedule.policyId),
      options: await policyChoices(),
      says: /policy/i,
    }),
    seeds: linesField({ label: 'Seeds', hint: 'A URL a line.', value: schedule.seeds, placeholder: 'https://example.com/', says: /seed/i }),
    jobName: textField({
      label: 'Name of the jobs',
      hint: 'May have {COUNT}, {DATE} and {TIME}; left out, it is the name of the schedule and a number.',
      value: schedule.jobName,
      says: /job.?name/i,
    }),
    tags: linesField({ label: 'Tags of the jobs', hint: 'One a line; may be left out.', value: schedule.tags, rows: 2, says: /tag/i }),
  };
  const saved = element('p', { className: 'good' });
  saved.setAttribute('role', 'status');
  const save = async () => {
    saved.textContent = '';
    const values = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.read()]));
    const identity = isNew ? {} : { scheduleId: schedule.scheduleId };
    const policyId = values.policyId && idOf(values.policyId);
    const { newSchedule } = await ask({ setSchedule: { schedule: present({ ...values, ...identity, policyId }) } });
    if (newSchedule === undefined) saved.textContent = 'Saved.';
    else location.hash = '#/schedules';
  };
  const { numUnits, timeUnit, timing, ...others } = fields;
  const interval = group('When', '', element('div', { className: 'columns' }, numUnits.element, timeUnit.element), timing, others.enabled);
  const parts = [others.scheduleName, interval, others.policyId, others.seeds, others.jobName, others.tags];
  const made = form({ fields: Object.values(fields), parts, button: isNew ? 'Make the schedule' : 'Save', save });
  made.append(saved);
  place.append(section(isNew ? 'New schedule' : `Schedule: ${schedule.scheduleName || 'without a name'}`, made));
  if (isNew) return undefined;
  const list = (page) =>
    ask({ listScheduleJobs: { scheduleId: schedule.scheduleId, page } }).then(({ listScheduleJobs }) => listScheduleJobs);
  const jobs = await jobList(list, 'It has made none so far.');
  place.append(section('Jobs that it has made', ...jobs.elements));
  return jobs.stop;
}
