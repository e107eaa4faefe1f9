/** The page: log-in, and then what there is to see, asked for anew every two seconds while somebody looks. */
import { ask, key, WrongKey } from './ask.js';
import { showHosts, wireLookUp } from './look-up.js';
import { showStatistics, wireManage } from './manage.js';
import { showOverview } from './overview.js';

const byId = (id) => document.getElementById(id);
const EVERY_MS = 2000;
let timer;

function show(isIn) {
  byId('log-in').hidden = isIn;
  byId('queue').hidden = !isIn;
  byId('log-out').hidden = !isIn;
  if (!isIn) byId('key').focus();
}

function logOut(message = '') {
  clearTimeout(timer);
  key.forget();
  byId('log-in-error').textContent = message;
  byId('connection').textContent = '';
  show(false);
}

/** What goes wrong is said where it was asked for. */
async function guard(action, place) {
  try {
    await action();
  } catch (error) {
    if (error instanceof WrongKey) return logOut(error.message);
    const line = document.createElement(place.localName === 'tbody' ? 'tr' : 'p');
    line.className = 'error';
    line.textContent = error.message;
    place.replaceChildren(line);
  }
}

async function refresh() {
  clearTimeout(timer);
  if (key.get() === null) return;
  try {
    if (!document.hidden) {
      await showOverview();
      byId('connection').textContent = `as of ${new Date().toISOString().slice(11, 19)} UTC`;
      byId('connection').className = '';
    }
  } catch (error) {
    if (error instanceof WrongKey) return logOut(error.message);
    byId('connection').textContent = error.message;
    byId('connection').className = 'error';
  }
  timer = setTimeout(refresh, EVERY_MS);
}

async function enter() {
  await ask('/overview');
  byId('key').value = '';
  byId('log-in-error').textContent = '';
  show(true);
  await refresh();
  await guard(showHosts, byId('hosts'));
  await guard(showStatistics, byId('statistics'));
}

byId('log-in').addEventListener('submit', (event) => {
  event.preventDefault();
  key.set(byId('key').value);
  enter().catch((error) => logOut(error.message));
});
byId('log-out').addEventListener('click', () => logOut());
document.addEventListener('changed', () => void refresh());
document.addEventListener('visibilitychange', () => void refresh());
wireLookUp(guard);
wireManage(guard);
if (key.get() === null) show(false);
else enter().catch((error) => logOut(error.message));
