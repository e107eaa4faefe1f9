/** One job: live numbers and charts, what can be done with it, what it has fetched, and why it has not fetched the rest. */
import { linesField, textField } from './fields.js';
import { form, present } from './form.js';
import { itemList } from './items.js';
import { nameOf } from './jobs.js';
import { jobLog } from './job-log.js';
import { BIN_SECONDS, BINS, currentRate, liveJob, onJobs, rateOf } from './live.js';
import { action, facts, link, section, stateMark } from './parts.js';
import { bars, element, number } from '../../web/page/show.js';
import { between, counted, hexOf, idOf, lasting, plural, when } from './values.js';
import { ask } from './wire.js';

const MAX_SEEDS = 20;
const UNFINISHED = new Set(['RUNNING', 'PAUSED', 'PENDING']);

export async function jobView(place, hex) {
  const jobId = idOf(hex);
  const { job: whole } = await ask({ getJob: { jobId } });
  const now = () => ({ ...whole, ...liveJob(hex), policy: whole.policy });

  const heading = element('h2', {}, nameOf(whole));
  const state = element('span');
  const actions = element('p', { className: 'row' });
  const tiles = element('dl', { className: 'tiles' });
  const charts = element('div', { className: 'charts' });
  const overview = element('section', {}, element('div', { className: 'title' }, heading, state), actions, tiles, charts);
  overview.setAttribute('aria-label', 'Overview');
  const about = section('About it');
  const items = itemList(hex, now);
  const log = jobLog(hex);
  place.append(overview, items.element, log.element, about);

  let shownState;
  const show = () => {
    const job = now();
    heading.textContent = nameOf(job);
    state.replaceChildren(stateMark(job.runState));
    // Buttons that are being used stay.
    if (shownState !== job.runState) actions.replaceChildren(...actionsOf(hex, job));
    showTiles(tiles, hex, job);
    charts.replaceChildren(...rateChart(hex, job), statusChart(job));
    if (shownState !== job.runState) showAbout(about, job);
    shownState = job.runState;
  };
  show();
  about.append(editForm(jobId, now()));
  await items.show();
  const stop = onJobs((changed) => {
    const change = changed.get(hex);
    if (change?.runState === 'DELETED') location.hash = '#/jobs';
    else if (change !== undefined) {
      show();
      items.changed();
    }
  });
  const timer = setInterval(show, BIN_SECONDS * 1000);
  return () => {
    stop();
    clearInterval(timer);
    log.stop();
  };
}

function actionsOf(hex, { runState }) {
  const jobId = idOf(hex);
  const become = (state) => () => ask({ setJob: { jobId, runState: state } });
  if (UNFINISHED.has(runState)) {
    const going = runState === 'PAUSED' ? action('Resume', become('RUNNING'), { isPlain: false }) : action('Pause', become('PAUSED'));
    return [going, action('Cancel', become('CANCELLED'), { question: 'Cancel this job? It cannot go on after that.' })];
  }
  const remove = async () => {
    await ask({ deleteJob: { jobId } });
    location.hash = '#/jobs';
  };
  return [action('Delete', remove, { question: 'Delete this job and what is known of its items? The WARC files stay.' })];
}

function showTiles(tiles, hex, { itemCount, httpSuccessCount, httpErrorCount, exceptionCount, runState, startedAt, completedAt }) {
  const values = [
    ['items', counted(itemCount)],
    ['good', counted(httpSuccessCount)],
    ['HTTP errors', counted(httpErrorCount)],
    ['failed', counted(exceptionCount)],
    ['a second', runState === 'RUNNING' ? currentRate(hex).toFixed(1) : '–'],
    [UNFINISHED.has(runState) ? 'since its start' : 'took', lasting(between(startedAt, completedAt))],
  ];
  tiles.replaceChildren(
    ...values.map(([title, value]) =>
      element('div', {}, element('dt', {}, title), element('dd', {}, typeof value === 'number' ? number(value) : (value ?? ''))),
    ),
  );
}

function rateChart(hex, { runState }) {
  const values = rateOf(hex);
  const most = Math.max(...values);
  if (most === 0 && runState !== 'RUNNING') return [];
  const told = `Items a second in the last ${(BINS * BIN_SECONDS) / 60} minutes, at most ${most.toFixed(1)}`;
  return [element('figure', {}, bars(values), element('figcaption', {}, told))];
}

/** A bar for each status, as long as it is frequent. */
function statusChart({ httpStatusCounts = {}, exceptionCount }) {
  const counts = Object.entries(httpStatusCounts);
  if (exceptionCount > 0) counts.push(['failed', exceptionCount]);
  const most = Math.max(1, ...counts.map(([, count]) => count));
  const list = counts.map(([status, count]) => {
    const bar = element('span', { className: /^[123]/.test(status) ? 'bar' : 'bar bad' });
    bar.style.width = `${(count / most) * 100}%`;
    return element('div', {}, element('dt', {}, status), element('dd', {}, element('span', {}, bar), element('span', {}, number(count))));
  });
  return element('figure', {}, element('dl', { className: 'statuses' }, ...list), element('figcaption', {}, 'Answers by HTTP status'));
}

function showAbout(about, { jobId, seeds = [], tags = [], policy, startedAt, completedAt }) {
  const some = seeds.slice(0, MAX_SEEDS);
  const more =
    seeds.length > some.length ? [element('li', { className: 'quiet' }, `and ${plural(seeds.length - some.length, 'more', 'more')}`)] : [];
  const known = policy?.policyId ? link(policy.name, `#/policies/${hexOf(policy.policyId)}`) : policy?.name;
  about.querySelector('.facts')?.remove();
  about.firstChild.after(
    facts([
      ['Seeds', element('ul', { className: 'plain-list' }, ...some.map((seed) => element('li', {}, seed)), ...more)],
      ['Policy', known && element('span', {}, known, ', as it was at the start')],
      ['Tags', tags.join(', ')],
      ['Started', when(startedAt) && `${when(startedAt)} UTC`],
      ['Ended', when(completedAt) && `${when(completedAt)} UTC`],
      ['ID', element('code', {}, hexOf(jobId))],
    ]),
  );
}

function editForm(jobId, { name = '', tags = [] }) {
  const fields = {
    name: textField({ label: 'Name', value: name, says: /name/i }),
    tags: linesField({ label: 'Tags', hint: 'One a line.', value: tags, rows: 2, says: /tag/i }),
  };
  const saved = element('p', { className: 'good' });
  saved.setAttribute('role', 'status');
  const save = async () => {
    const kept = fields.tags.read();
    // No tag at all is said by a blank one.
    await ask({ setJob: present({ jobId, name: fields.name.read(), tags: kept.length === 0 ? [''] : kept }) });
    saved.textContent = 'Saved.';
  };
  const all = Object.values(fields);
  return element(
    'details',
    {},
    element('summary', {}, 'Change name and tags'),
    form({ fields: all, parts: all, button: 'Save', save }),
    saved,
  );
}
