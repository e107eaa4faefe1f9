/** What is asked for by hand: a URL or a host, the list of hosts, and new URLs. */
import { ask } from './ask.js';
import { ago, cell, element, number, rows } from '../../web/page/show.js';

const byId = (id) => document.getElementById(id);

/** @param guard runs an action and shows what it throws */
export function wireLookUp(guard) {
  byId('search').addEventListener('submit', (event) => {
    event.preventDefault();
    void guard(() => search(byId('what').value.trim()), byId('found'));
  });
  byId('add').addEventListener('submit', (event) => {
    event.preventDefault();
    void guard(add, byId('added'));
  });
  byId('more-hosts').addEventListener('click', () => void guard(() => showHosts(byId('more-hosts').dataset.next), byId('hosts')));
}

async function add() {
  const { added, known, rejected } = await ask('/temp-new-links', { method: 'POST', ...linksIn(byId('urls').value) });
  const no = rejected.length === 0 ? '' : ` No URLs: ${rejected.slice(0, 5).join(', ')}${rejected.length > 5 ? ' …' : ''}`;
  byId('added').textContent = `${number(added)} added, ${number(known)} known.${no}`;
  byId('urls').value = '';
  document.dispatchEvent(new Event('changed'));
}

/** A priority is said of each link; without one as many may be sent as one likes. */
function linksIn(text) {
  const priority = Number(byId('priority').value);
  if (priority === 0) return { type: 'text/plain', body: text };
  const urls = text.split('\n').map((line) => line.trim());
  return { body: JSON.stringify(urls.filter((url) => url !== '').map((url) => ({ url, priority }))) };
}

/** A host may be told without its port: then both usual ones are looked up. */
async function search(what) {
  const isUrl = /^https?:\/\//i.test(what);
  const hosts = /:\d+$/.test(what) ? [what] : [`${what}:443`, `${what}:80`];
  const queries = isUrl ? [`url=${encodeURIComponent(what)}`] : hosts.map((host) => `host=${encodeURIComponent(host)}`);
  const answers = await Promise.all(queries.map((query) => ask(`/urls?${query}`)));
  const urls = answers.flatMap((answer) => answer.urls);
  const more = answers.some(({ next }) => next !== null);
  const list = urls.map((each) =>
    element(
      'details',
      { open: urls.length === 1 },
      element('summary', {}, summary(each)),
      element('pre', {}, JSON.stringify(each, null, 2)),
    ),
  );
  const told = urls.length === 0 ? 'Nothing is known of it.' : `${number(urls.length)} URLs${more ? ', and more' : ''}`;
  byId('found').replaceChildren(element('p', { className: 'quiet' }, told), ...list);
}

const summary = ({ url, state, report }) => `${state}${report === null ? '' : `, ${report.status_code ?? report.result}`}: ${url}`;

/** @param from the name of the first */
export async function showHosts(from = '') {
  const { hosts, next } = await ask(`/hosts?from=${encodeURIComponent(from)}`);
  rows(
    byId('hosts'),
    hosts,
    ({ host, waiting, out, 'last-given': last }) => [
      cell(host, 'url'),
      cell(number(waiting), 'number'),
      cell(number(out), 'number'),
      cell(ago(last), 'time'),
    ],
    'None.',
  );
  const button = byId('more-hosts');
  // At the end of the list it begins anew.
  button.hidden = next === null && from === '';
  button.dataset.next = next ?? '';
  button.textContent = next === null ? 'First hosts' : 'More hosts';
}
