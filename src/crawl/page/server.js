/** The machine and the process: what they do and have done in the last minutes, and the tree of what runs. */
import { cell, linkCell, section, table } from './parts.js';
import { bars, bytes, element, number } from '../../web/page/show.js';
import { hexOf } from './values.js';
import { subscribe } from './wire.js';

const SECONDS = 300;
const EVERY_MS = 250;

export function serverView(place) {
  const charts = element('div', { className: 'charts' });
  const tiles = element('dl', { className: 'tiles' });
  const jobs = table('Jobs that run', [['Job'], ['Downloads', 'number']], 'No job runs.');
  const disks = table('Disks', [['Disk'], ['Used', 'number'], ['Of', 'number']], 'Nothing is known of them.');
  const networks = table('Networks', [['Network'], ['Sent', 'number'], ['Received', 'number']], 'Nothing is known of them.');
  const tree = element('ul', { className: 'tree' });
  const frames = [];
  let timer;

  const show = () => {
    timer = undefined;
    const last = frames.at(-1);
    if (last === undefined) return;
    const { currentDownloads = 0, maximumDownloads = 0, rateLimiter = 0, memory = {}, cpus = [] } = last;
    tiles.replaceChildren(
      ...[
        ['downloads', `${number(currentDownloads)} of ${number(maximumDownloads)}`],
        ['wait for their host', number(rateLimiter)],
        ['processors', `${Math.round(usage(cpus))} %`],
        ['memory', `${bytes(Number(memory.used ?? 0))} of ${bytes(Number(memory.total ?? 0))}`],
      ].map(([title, value]) => element('div', {}, element('dt', {}, title), element('dd', {}, value))),
    );
    charts.replaceChildren(
      chart(
        'Downloads at once',
        frames.map((frame) => frame.currentDownloads ?? 0),
        maximumDownloads,
      ),
      chart(
        'Processors, in percent',
        frames.map((frame) => usage(frame.cpus ?? [])),
        100,
      ),
      chart(
        'Memory of the machine',
        frames.map(({ memory: each = {} }) => Number(each.used ?? 0)),
        Number(memory.total ?? 0),
      ),
    );
    jobs.fill(last.jobs ?? [], ({ jobId, name = '', currentDownloads: downloads = 0 }) => [
      linkCell(name || 'without a name', `#/jobs/${hexOf(jobId)}`),
      cell(number(downloads), 'number'),
    ]);
    disks.fill(last.disks ?? [], ({ mount, used, total }) => [
      cell(mount, 'name'),
      cell(bytes(Number(used ?? 0)), 'number'),
      cell(bytes(Number(total ?? 0)), 'number'),
    ]);
    networks.fill(last.networks ?? [], ({ name, sent, received }) => [
      cell(name, 'name'),
      cell(bytes(Number(sent ?? 0)), 'number'),
      cell(bytes(Number(received ?? 0)), 'number'),
    ]);
  };
  const onFrame = ({ resourceFrame }) => {
    frames.push(resourceFrame);
    if (frames.length > SECONDS) frames.shift();
    // Those that are kept come all at once.
    timer ??= setTimeout(show, EVERY_MS);
  };
  const stops = [
    subscribe({ subscribeResourceMonitor: { history: SECONDS } }, onFrame, { onBegin: () => frames.splice(0) }),
    subscribe({ subscribeTaskMonitor: { period: 3 } }, ({ taskTree }) => tree.replaceChildren(...(taskTree.subtasks ?? []).map(branch))),
  ];
  place.append(
    section('Server', tiles, charts),
    section('Jobs that run', jobs.element),
    section('Disks and networks', disks.element, networks.element),
    section('Tasks', tree),
  );
  return () => {
    clearTimeout(timer);
    for (const stop of stops) stop();
  };
}

const usage = (cpus) => cpus.reduce((sum, each) => sum + (each.usage ?? 0), 0) / Math.max(1, cpus.length);

function chart(title, values, most) {
  // The newest stands at the right, however few there are.
  const all = [...Array(SECONDS - values.length).fill(0), ...values];
  return element('figure', {}, bars(all, most), element('figcaption', {}, `${title}, the last ${SECONDS / 60} minutes`));
}

/** Alike ones are counted: there may be many. */
function branch({ name, subtasks = [] }) {
  const counts = new Map();
  for (const each of subtasks) {
    const text = JSON.stringify(each);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const below = [...counts].slice(0, 100).map(([text, count]) => {
    const made = branch(JSON.parse(text));
    if (count > 1) made.firstChild.after(` × ${count}`);
    return made;
  });
  return element('li', {}, element('span', {}, name), ...(below.length === 0 ? [] : [element('ul', {}, ...below)]));
}
