/** All jobs, newest first, with live numbers; and the form for a new one. */
import { choiceField, linesField, textField } from './fields.js';
import { form, present } from './form.js';
import { currentRate, liveJob, onJobs } from './live.js';
import { cell, link, linkCell, pager, section, stateMark, table } from './parts.js';
import { element, number } from '../../web/page/show.js';
import { counted, hexOf, idOf, when } from './values.js';
import { ask } from './wire.js';

const LIMIT = 20;
const HEADS = [
  ['Name'],
  ['State'],
  ['Items', 'number'],
  ['Good', 'number'],
  ['HTTP errors', 'number'],
  ['Failed', 'number'],
  ['A second', 'number'],
  ['Started (UTC)'],
];

const shown = (count) => (counted(count) === undefined ? '' : number(count));

export const nameOf = ({ name, seeds = [] }) => name || seeds[0] || 'without a name';

/** The cells of a job. */
export function jobCells(job) {
  const hex = hexOf(job.jobId);
  const now = { ...job, ...liveJob(hex) };
  return [
    linkCell(nameOf(now), `#/jobs/${hex}`),
    element('td', {}, stateMark(now.runState)),
    cell(shown(now.itemCount), 'number'),
    cell(shown(now.httpSuccessCount), 'number'),
    cell(shown(now.httpErrorCount), 'number'),
    cell(shown(now.exceptionCount), 'number'),
    cell(now.runState === 'RUNNING' ? currentRate(hex).toFixed(1) : '', 'number'),
    cell(when(now.startedAt), 'time'),
  ];
}

/** A list of jobs that is kept up to date. @param list asks for a page of it. @returns the element, and what ends it */
export async function jobList(list, empty) {
  const jobs = table('Jobs', HEADS, empty);
  let at = 0;
  let onPage = [];
  let known = new Set();
  const show = () => {
    // A link that has the focus keeps it.
    const focused = [...jobs.body.querySelectorAll('a')].indexOf(document.activeElement);
    jobs.fill(onPage, jobCells);
    if (focused !== -1) jobs.body.querySelectorAll('a')[focused]?.focus({ preventScroll: true });
  };
  const turn = async (offset) => {
    const { jobs: found = [], total = 0 } = await list({ limit: LIMIT, offset });
    [at, onPage] = [offset, found];
    known = new Set(found.map(({ jobId }) => hexOf(jobId)));
    pages.show(at, total);
    show();
  };
  const pages = pager(LIMIT, (offset) => void turn(offset).catch(() => undefined));
  await turn(0);
  const stop = onJobs((changed) => {
    const isGone = [...changed].some(([hex, { runState }]) => runState === 'DELETED' && known.has(hex));
    const isNew = at === 0 && [...changed.keys()].some((hex) => !known.has(hex));
    if (isGone || isNew) void turn(at).catch(() => undefined);
    else show();
  });
  // Rates fall by themselves.
  const timer = setInterval(() => onPage.some(({ jobId }) => liveJob(hexOf(jobId))?.runState === 'RUNNING') && show(), 2000);
  return {
    elements: [jobs.element, pages.element],
    turn,
    stop() {
      stop();
      clearInterval(timer);
    },
  };
}

export async function jobsView(place) {
  let tag = '';
  const list = await jobList(
    (page) => ask({ listJobs: { page, ...(tag === '' ? {} : { tag }) } }).then(({ listJobs }) => listJobs),
    'There is no job.',
  );
  const wanted = textField({ label: 'Only with the tag' });
  const filter = element(
    'form',
    { className: 'filter' },
    wanted.element,
    element('button', { type: 'submit', className: 'plain' }, 'Show'),
  );
  filter.addEventListener('submit', (event) => {
    event.preventDefault();
    tag = wanted.read() ?? '';
    void list.turn(0).catch((error) => wanted.fault(error.message));
  });
  place.append(
    section('Jobs', element('p', { className: 'row' }, link('New job', '#/jobs/new', { className: 'button' })), filter, ...list.elements),
  );
  return list.stop;
}

/** @returns choices of policies, by name */
export async function policyChoices() {
  const { listPolicies } = await ask({ listPolicies: { page: { limit: 1000 } } });
  return (listPolicies.policies ?? []).map(({ policyId, name }) => [hexOf(policyId), name]);
}

/** @param policy hexadecimal identifier of the one that is chosen at first */
export async function newJobView(place, policy) {
  const options = await policyChoices();
  const fields = {
    seeds: linesField({
      label: 'Seeds',
      hint: 'Where it begins: a URL a line, of http or https.',
      placeholder: 'https://example.com/',
      says: /seed/i,
    }),
    policy: choiceField({ label: 'Policy', options, value: policy, says: /policy/i }),
    name: textField({ label: 'Name', hint: 'May be left out.', says: /name/i }),
    tags: linesField({ label: 'Tags', hint: 'One a line; may be left out.', rows: 2, says: /tag/i }),
  };
  const save = async () => {
    const [seeds, name, tags] = [fields.seeds.read(), fields.name.read(), fields.tags.read()];
    const { newJob } = await ask({ setJob: present({ policyId: idOf(fields.policy.read()), seeds, name, tags }) });
    location.hash = `#/jobs/${hexOf(newJob.jobId)}`;
  };
  const all = Object.values(fields);
  place.append(section('New job', form({ fields: all, parts: all, button: 'Start', save })));
  return undefined;
}
