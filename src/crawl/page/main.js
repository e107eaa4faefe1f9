/** The page: log-in, and then the place that the address tells. */
import { element } from '../../web/page/show.js';
import { connect, hasLogIn, logOut, onConnection, setLogIn, WrongLogIn } from './wire.js';
import { startLive, stopLive } from './live.js';
import { itemView } from './item.js';
import { jobView } from './job.js';
import { jobsView, newJobView } from './jobs.js';
import { limitsView } from './limits.js';
import { loginsView, loginView } from './logins.js';
import { policiesView, policyView } from './policies.js';
import { schedulesView, scheduleView } from './schedules.js';
import { serverView } from './server.js';
import { solversView, solverView } from './solvers.js';

const byId = (id) => document.getElementById(id);

/** A view is given the place that it fills and what its address has; it returns what ends it, if anything. */
const VIEWS = [
  [/^\/jobs$/, jobsView],
  [/^\/jobs\/new(?:\/([0-9a-f]{32}))?$/, newJobView],
  [/^\/jobs\/([0-9a-f]{32})$/, jobView],
  [/^\/jobs\/([0-9a-f]{32})\/items\/(\d+)$/, itemView],
  [/^\/policies$/, policiesView],
  [/^\/policies\/(new|[0-9a-f]{32})(?:\/(copy))?$/, policyView],
  [/^\/schedules$/, schedulesView],
  [/^\/schedules\/(new|[0-9a-f]{32})$/, scheduleView],
  [/^\/limits$/, limitsView],
  [/^\/logins$/, loginsView],
  [/^\/logins\/(new|of)(?:\/(.+))?$/, loginView],
  [/^\/solvers$/, solversView],
  [/^\/solvers\/(new|[0-9a-f]{32})$/, solverView],
  [/^\/server$/, serverView],
];

let leave = () => undefined;
/** of the view that is shown, so that a late one shows nothing */
let turn = 0;

async function go() {
  leave();
  leave = () => undefined;
  const mine = ++turn;
  const path = location.hash.slice(1) || '/jobs';
  const [view, parts] = VIEWS.map(([form, made]) => [made, form.exec(path)]).find(([, match]) => match !== null) ?? [];
  for (const link of byId('places').children) {
    if (path.startsWith(link.hash.slice(1))) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const place = element('div');
  let left;
  try {
    if (view === undefined) throw new Error('There is no such place here.');
    left = await view(place, ...parts.slice(1));
  } catch (error) {
    place.replaceChildren(element('section', {}, element('p', { className: 'error', role: 'alert' }, error.message)));
  }
  if (mine !== turn) return left?.();
  leave = left ?? leave;
  byId('view').replaceChildren(...place.childNodes);
  byId('view').dataset.place = path;
  const title = byId('view').querySelector('h2')?.textContent;
  document.title = title ? `${title} – Crawl` : 'Crawl';
  window.scrollTo(0, 0);
  byId('view').focus({ preventScroll: true });
}

function show(isIn) {
  byId('log-in').hidden = isIn;
  for (const id of ['places', 'view', 'log-out']) byId(id).hidden = !isIn;
  if (!isIn) byId(byId('user').value === '' ? 'user' : 'password').focus();
}

function tell(text, isBad = false) {
  byId('connection').textContent = text;
  byId('connection').className = isBad ? 'error' : '';
}

function end(message = '') {
  leave();
  leave = () => undefined;
  turn++;
  stopLive();
  logOut();
  byId('view').replaceChildren();
  byId('log-in-error').textContent = message;
  tell('');
  show(false);
}

async function enter() {
  await connect();
  byId('password').value = '';
  byId('log-in-error').textContent = '';
  startLive();
  show(true);
  await go();
}

onConnection((state) => {
  if (state === 'wrong') end('The user or the password is wrong.');
  else if (state === 'lost') tell('The connection is lost; trying again …', true);
  else tell('');
});
const failed = (error) => (error instanceof WrongLogIn ? end(error.message) : end(`${error.message} Try again.`));
byId('log-in').addEventListener('submit', (event) => {
  event.preventDefault();
  setLogIn(byId('user').value, byId('password').value);
  enter().catch(failed);
});
byId('log-out').addEventListener('click', () => end());
window.addEventListener('hashchange', () => hasLogIn() && void go());
if (hasLogIn()) enter().catch(failed);
else show(false);
