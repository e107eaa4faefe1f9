/** What the administrator asks for by hand: who is let in, what was reported in which days, and what was added and is not reported yet. */
import { ask, key as own } from './ask.js';
import { ago, cell, element, number, rows } from '../../web/page/show.js';

const byId = (id) => document.getElementById(id);
const LINKS = 50;

/** @param guard runs an action and shows what it throws */
export function wireManage(guard) {
  byId('let-in').addEventListener('submit', (event) => {
    event.preventDefault();
    void guard(letIn, byId('let-in-said'));
  });
  byId('statistics-of').addEventListener('submit', (event) => {
    event.preventDefault();
    void guard(showStatistics, byId('statistics'));
  });
  byId('unreported').addEventListener('toggle', () => byId('unreported').open && void guard(showUnreported, byId('unreported-links')));
  byId('more-unreported').addEventListener('click', () => {
    void guard(() => showUnreported(Number(byId('more-unreported').dataset.next)), byId('unreported-links'));
  });
}

async function letIn() {
  const key = byId('worker-key').value;
  await ask('/api-keys', { method: 'POST', type: 'text/plain', body: key });
  // A key without a name is all secret.
  byId('let-in-said').textContent = key.includes(':') ? `${key.split(':', 1)[0]} is let in.` : 'It is let in.';
  byId('worker-key').value = '';
  document.dispatchEvent(new Event('changed'));
}

/** Whoever has no days is shown everything. */
export async function showStatistics() {
  const days = ['date-from', 'date-to'].map((name) => [name, byId(name).value]).filter(([, day]) => day !== '');
  const { workers, ...all } = await ask(`/statistics?${new URLSearchParams(days)}`);
  rows(
    byId('statistics'),
    workers,
    ({ name, uptime, ...counts }) => [
      cell(name, 'name'),
      cell(number(counts['crawled-urls']), 'number'),
      cell(number(counts['crawled-sites']), 'number'),
      cell(span(uptime), 'number'),
    ],
    'There is no worker.',
    4,
  );
  byId('statistics-all').textContent =
    `In all ${number(all['crawled-urls'])} reports, ${number(all['received-KB'])} KiB received, the manager ran for ${span(all.uptime)}.`;
}

/** Oldest first. */
async function showUnreported(offset = 0) {
  // One more tells whether there are more.
  const links = await ask(`/temp-new-links?limit=${LINKS + 1}&offset=${offset}`);
  const shown = links.slice(0, LINKS);
  rows(
    byId('unreported-links'),
    shown,
    (link) => [
      cell(link.url, 'url'),
      cell(link['given-to-crawling'] === null ? 'not yet' : ago(link['given-to-crawling'].replace(' ', 'T')), 'time'),
    ],
    'There is none.',
    2,
  );
  const button = byId('more-unreported');
  const isLast = links.length <= LINKS;
  // At the end of the list it begins anew.
  button.hidden = isLast && offset === 0;
  button.textContent = isLast ? 'First' : 'More';
  button.dataset.next = String(isLast ? 0 : offset + LINKS);
}

function span(seconds) {
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** What becomes of a worker for good. @param act asks for it, and has the page show the new state */
export function workerActions(name, act) {
  const path = encodeURIComponent(name);
  const release = act('Release', `Release what it has: ${name}`, `/active?worker=${path}`, { method: 'DELETE' });
  // The administrator stays.
  if (own.get()?.startsWith(`${name}:`)) return element('td', { className: 'row' }, release);
  const remove = act('Remove', `Remove: ${name}`, `/api-keys/${path}`, {
    method: 'DELETE',
    question: `Keep ${name} out? Its key is forgotten, and what it has is given to others.`,
  });
  return element('td', { className: 'row' }, release, remove);
}
