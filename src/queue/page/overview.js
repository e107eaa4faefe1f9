/** What is always shown and kept up to date: counts, rates, workers, last reports. */
import { ask } from './ask.js';
import { workerActions } from './manage.js';
import { ago, bytes, cell, chart, element, number, rows } from '../../web/page/show.js';

const byId = (id) => document.getElementById(id);
const TITLES = { urls: 'known', waiting: 'waiting', given: 'handed out', visited: 'visited', failed: 'given up', hosts: 'hosts at work' };

/** Shows it once. @throws as `ask` */
export async function showOverview() {
  const { counts, minutes, workers, control, reports } = await ask('/overview');
  byId('counts').replaceChildren(
    ...Object.entries(TITLES).map(([name, title]) => element('div', {}, element('dt', {}, title), element('dd', {}, number(counts[name])))),
  );
  byId('rates').replaceChildren(chart('Added', minutes.added), chart('Handed out', minutes.given), chart('Reported', minutes.reported));
  showHeld(control);
  // A button that has the focus keeps it.
  if (!byId('workers').contains(document.activeElement)) showWorkers(workers, control);
  rows(
    byId('reports'),
    reports,
    ({ at, status_code, result, url, worker, length }) => [
      cell(at.slice(11), 'time'),
      cell(
        status_code === null ? result || 'no answer' : `${status_code} ${result}`,
        status_code !== null && status_code < 400 ? 'good' : 'bad',
      ),
      cell(url, 'url'),
      cell(worker, 'name'),
      cell(bytes(length), 'number'),
    ],
    'None since the manager started.',
  );
}

function showHeld({ all }) {
  const held = all === 'suspend';
  const now = held ? 'All workers are held back.' : 'Workers get URLs.';
  const line = byId('held');
  if (line.dataset.state === all) return;
  line.dataset.state = all;
  line.replaceChildren(now, wish(held ? 'Let all go on' : 'Hold all back', { control: held ? 'resume' : 'suspend' }));
}

function showWorkers(workers, { workers: wishes }) {
  rows(
    byId('workers'),
    workers,
    ({ name, reports, sites, bytes: size, 'last-seen': seen }) => {
      const held = wishes[name] === 'suspend';
      const button = wish(held ? 'Let go on' : 'Hold back', { control: held ? 'resume' : 'suspend', worker: name });
      button.setAttribute('aria-label', `${button.textContent}: ${name}`);
      return [
        cell(name, 'name'),
        element('td', {}, held ? 'no ' : 'yes ', button),
        cell(number(reports), 'number'),
        cell(number(sites), 'number'),
        cell(bytes(size), 'number'),
        cell(ago(seen), 'time'),
        workerActions(name, actionButton),
      ];
    },
    'No worker has a key yet: let one in.',
    7,
  );
}

function wish(text, change) {
  return actionButton(text, text, '/control', { method: 'PUT', body: JSON.stringify(change) });
}

/** @param call as `ask` takes it, and perhaps a question that is asked first */
function actionButton(text, label, path, { question, ...call }) {
  const button = element('button', { type: 'button', className: 'plain', ariaLabel: label }, text);
  button.addEventListener('click', async () => {
    if (question !== undefined && !confirm(question)) return;
    button.disabled = true;
    await ask(path, call).catch(() => undefined);
    button.blur();
    document.dispatchEvent(new Event('changed'));
  });
  return button;
}
