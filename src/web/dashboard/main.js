/** The page: the state is asked for anew every two seconds while somebody looks, captures come by themselves. */
import { arrive, read } from '../page/places.js';
import { offerEverything, wireCaptures } from './captures.js';
import { showState } from './state.js';

const byId = (id) => document.getElementById(id);
const EVERY_MS = 2000;
let about;
let timer;

async function refresh() {
  clearTimeout(timer);
  try {
    if (!document.hidden) {
      const state = await read('/dashboard/state.json');
      // Another start: what is shown is of one that is over.
      if (about.recentInstance !== undefined && about.recentInstance !== state.instance) return location.reload();
      about.recentInstance = state.instance;
      showState(state);
      offerEverything(state.index);
      say(`as of ${new Date().toISOString().slice(11, 19)} UTC`);
    }
  } catch (error) {
    say(error.message, true);
  }
  timer = setTimeout(refresh, EVERY_MS);
}

function say(text, isError = false) {
  byId('connection').textContent = text;
  byId('connection').className = isError ? 'error' : '';
}

async function begin() {
  about = await arrive();
  await refresh();
  wireCaptures(about);
}

document.addEventListener('visibilitychange', () => !document.hidden && about !== undefined && void refresh());
begin().catch((error) => say(error.message, true));
