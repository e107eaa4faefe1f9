/** What is shown beside captures: totals, charts, what waits, files and jobs. */
import { bars, bytes, cell, element, number, rows } from '../page/show.js';
import { showFailed } from './captures.js';

const byId = (id) => document.getElementById(id);
const NAMES = {
  'max-threads': 'requests under way',
  'max-connections': 'clients connected',
  'queue-size': 'captures to be written',
  'max-memory': 'bodies in memory',
  'max-head-memory': 'heads in memory',
  'max-spool': 'bodies in temporary files',
  'max-connections of playback': 'clients of playback',
  websockets: 'WebSockets open',
  'open-warc-files': 'WARC files open',
  'idle-origin-connections': 'idle connections to origins',
  'event-listeners': 'dashboards and other listeners',
};

export function showState(state) {
  showTotals(state);
  showCharts(state.slots);
  rows(
    byId('chain'),
    state.processors,
    ({ name, queued, errors }) => [
      cell(name, 'name'),
      cell(number(queued), 'number'),
      cell(number(errors), errors > 0 ? 'number bad' : 'number'),
    ],
    'None.',
    3,
  );
  byId('bounds').replaceChildren(...state.bounds.filter(({ name }) => name !== 'recent-captures').map(meter));
  showSpace(state);
  showFailures(state.failures);
  rows(
    byId('files'),
    state.files,
    ({ path, size, open }) => [cell(path, 'url'), cell(bytes(size), 'number'), cell(open ? 'open' : 'closed', open ? 'good' : 'quiet')],
    'None has been begun.',
    3,
  );
  showJobs(state);
}

function showTotals({ totals }) {
  const tiles = [
    ['new', number(totals.new)],
    ['duplicates', number(totals.dup)],
    ['not written', number(totals.skipped)],
    ['failed', number(totals.failed)],
    ['under way', number(totals.active)],
    ['waiting', number(totals.waiting)],
    ['in WARC files', bytes(totals.warcBytes)],
    ['behind', `${totals.behind < 10 ? totals.behind.toFixed(1) : Math.round(totals.behind)} s`],
  ];
  byId('totals').replaceChildren(...tiles.map(([title, value]) => element('div', {}, element('dt', {}, title), element('dd', {}, value))));
}

function showCharts(slots) {
  const { seconds } = slots;
  const captures = slots.new.map((value, index) => value + slots.dup[index] + slots.skipped[index]);
  const minute = (values) => values.slice(-60 / seconds - 1, -1).reduce((sum, value) => sum + value, 0);
  const figure = (values, told, className = '') => {
    const drawn = bars(values);
    if (className !== '') drawn.classList.add(className);
    return element('figure', {}, drawn, element('figcaption', {}, told));
  };
  byId('rates').replaceChildren(
    figure(captures, `Captures: ${number(minute(captures))} in the last minute`),
    figure(slots.bytes, `Bytes: ${bytes(minute(slots.bytes))} in the last minute`),
    figure(slots.failed, `Failed: ${number(minute(slots.failed))} in the last minute`, 'failed'),
  );
}

function meter({ name, unit, used, limit }) {
  const show = unit === 'bytes' ? bytes : number;
  const bar = element('meter', { min: 0, max: limit ?? 1, high: (limit ?? 1) * 0.9, optimum: 0, value: limit === undefined ? 0 : used });
  bar.setAttribute('aria-label', NAMES[name] ?? name.replaceAll('-', ' '));
  const told = limit === undefined ? `${show(used)}, no bound` : `${show(used)} of ${show(limit)}`;
  return element(
    'div',
    { className: 'meter', title: name },
    element('span', {}, NAMES[name] ?? name.replaceAll('-', ' ')),
    element('span', {}, told),
    bar,
  );
}

function showSpace({ disks, memory, databases, workers }) {
  const pairs = [
    ...disks.map(({ of, freeBytes, minBytes }) => [
      `Disk of ${of}`,
      `${bytes(freeBytes)} free${minBytes > 0 ? `, at least ${bytes(minBytes)} wanted` : ''}`,
      freeBytes < minBytes,
    ]),
    ['Memory', `${bytes(memory.rss)}, of it ${bytes(memory.heapUsed)} objects, ${bytes(memory.external)} buffers`],
    ...databases.map(({ folder, problem, waiting }) => [
      folder,
      problem === null ? 'in use' : `away: ${problem} (${number(waiting)} wait)`,
      problem !== null,
    ]),
    ...workers.flatMap(({ worker, problem }) => (problem === null ? [] : [[`Worker ${worker}`, problem, true]])),
  ];
  byId('space').replaceChildren(
    ...pairs.flatMap(([name, value, bad]) => [element('dt', {}, name), element('dd', { className: bad ? 'bad' : '' }, value)]),
  );
}

function showFailures(failures) {
  const place = byId('failures');
  if (place.contains(document.activeElement)) return;
  if (failures.length === 0) return place.replaceChildren(element('li', { className: 'quiet' }, 'None since the start.'));
  const button = element('button', { type: 'button', className: 'plain' }, 'Show them');
  button.addEventListener('click', showFailed);
  place.replaceChildren(
    ...failures.map(([code, count]) =>
      element('li', {}, element('span', {}, code), element('span', { className: 'number' }, number(count))),
    ),
    element('li', {}, button),
  );
}

function showJobs({ prefixes, buckets }) {
  rows(
    byId('prefixes'),
    prefixes,
    ({ prefix, captures, dup, failed, bytes: size, last }) => [
      cell(prefix === '-' ? '- (not archived)' : prefix, 'name'),
      ...[captures, dup, failed].map((value) => cell(number(value), 'number')),
      cell(bytes(size), 'number'),
      cell(`${last.slice(0, 10)} ${last.slice(11, 19)}`, 'time'),
    ],
    'None yet.',
  );
  rows(
    byId('bucket-rows'),
    buckets,
    ({ bucket, total, new: fresh, revisit, limits }) => [
      cell(bucket, 'name'),
      ...[total, fresh, revisit].map((counts) => cell(counts === undefined ? '–' : number(counts.urls), 'number')),
      cell(total === undefined ? '–' : bytes(total.wire_bytes), 'number'),
      cell(limits.map(({ of, value, soft }) => `${of} ${number(value)}${soft ? ' (soft)' : ''}`).join(', ') || '–', 'name'),
    ],
    'None yet.',
  );
  byId('buckets').replaceChildren(...buckets.map(({ bucket }) => element('option', { value: bucket })));
}
