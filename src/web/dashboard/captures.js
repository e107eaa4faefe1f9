/** The list of captures: what is kept in memory and what comes, by the filters; or what the index of all that was archived has. */
import { read } from '../page/places.js';
import { bytes, element, number } from '../page/show.js';
import { openCapture } from './capture.js';
import { VirtualList } from './list.js';

const byId = (id) => document.getElementById(id);
/** A person can follow so many a second; the others are counted. */
const MOST = 20;
const KEPT = 10_000;
const PIECE = 200;
const WRITTEN = { new: 'new', dup: 'duplicate', skipped: 'not written', failed: 'failed' };

let list;
let about;
let source;
let paused = false;
let everything = false;
let held = [];
let leftOut = 0;
let older = null;
let olderFrom = null;
let loading = false;
/** counts the searches: answers to an earlier one are late */
let turn = 0;

export function wireCaptures(told) {
  about = told;
  list = new VirtualList(byId('list'), { cells, open: (capture) => void openCapture(capture, about), end: () => void more() });
  byId('filter').addEventListener('submit', (event) => {
    event.preventDefault();
    void search();
  });
  byId('archived').addEventListener('change', () => void search());
  byId('clear').addEventListener('click', () => {
    byId('filter').reset();
    void search();
  });
  byId('pause').addEventListener('click', () => {
    paused = !paused;
    byId('pause').setAttribute('aria-pressed', String(paused));
    if (!paused) add(held.splice(0));
    say();
  });
  byId('everything').addEventListener('click', () => {
    everything = !everything;
    byId('everything').setAttribute('aria-pressed', String(everything));
    byId('pause').hidden = everything;
    byId('list').classList.toggle('dated', everything);
    void search();
  });
  void search();
}

/** There is an index, or there is none. */
export function offerEverything(there) {
  byId('everything').hidden = !there;
}

/** Show only what failed like this. */
export function showFailed() {
  byId('filter').reset();
  byId('archived').value = 'failed';
  byId('captures-title').scrollIntoView({ behavior: 'smooth' });
  void search();
}

const filters = () => new URLSearchParams([...new FormData(byId('filter'))].filter(([, value]) => value !== ''));

async function search() {
  const mine = ++turn;
  source?.close();
  held = [];
  leftOut = 0;
  older = null;
  try {
    if (everything) await searchEverything(mine);
    else await searchRecent(mine);
  } catch (error) {
    if (mine !== turn) return;
    list.set([]);
    list.none = '';
    say(error.message);
  }
}

async function searchRecent(mine) {
  const query = filters();
  const { captures, instance, next, before } = await read(`/dashboard/captures.json?limit=${PIECE}&${query}`);
  if (mine !== turn) return;
  older = before === null ? null : `/dashboard/captures.json?limit=${PIECE}&${query}&before=`;
  list.none = [...query].length === 0 ? 'Nothing has come through the proxy yet.' : 'Nothing of what is kept in memory is like that.';
  list.set(captures.reverse());
  olderFrom = before;
  say();
  source = new EventSource(`/events?most=${MOST}&last-event-id=${instance}-${next - 1}&${query}`);
  source.onmessage = ({ data }) => {
    const capture = JSON.parse(data);
    if (paused) held = [...held, capture].slice(-KEPT);
    else add([capture]);
    say();
  };
  source.addEventListener('left-out', ({ data }) => {
    leftOut += JSON.parse(data).captures;
    say();
  });
}

async function searchEverything(mine) {
  const url = byId('url').value.trim();
  const { captures, next } = await read(`/dashboard/archived.json?${new URLSearchParams({ url, limit: PIECE })}`);
  if (mine !== turn) return;
  older = next === null ? null : `/dashboard/archived.json?${new URLSearchParams({ url, limit: PIECE })}&from=`;
  olderFrom = next;
  list.none = 'Nothing that begins like that was archived.';
  list.set(captures.reverse());
  say();
}

/** What stands before the oldest that is shown. */
async function more() {
  if (older === null || olderFrom === null || loading) return;
  loading = true;
  const mine = turn;
  try {
    const found = await read(older + encodeURIComponent(olderFrom));
    if (mine !== turn) return;
    olderFrom = everything ? found.next : found.before;
    list.addOlder(found.captures.reverse());
    say();
  } catch (error) {
    if (mine === turn) say(error.message);
  } finally {
    loading = false;
  }
}

function add(captures) {
  if (captures.length > 0) list.add(captures, KEPT);
}

function say(problem = '') {
  const said = byId('said');
  said.className = problem === '' ? 'quiet' : 'error';
  const parts = everything
    ? [`${number(list.length)} shown, sorted by URL; the other filters are for what is kept in memory`]
    : [
        `${number(list.length)} shown`,
        ...(paused && held.length > 0 ? [`${number(held.length)} wait`] : []),
        ...(leftOut > 0 ? [`${number(leftOut)} came too fast to be shown: search finds them`] : []),
      ];
  said.textContent = problem === '' ? parts.join(' · ') : problem;
}

function cells(capture) {
  const { time, method = '', status = '', type, recordType, size, archived, url } = capture;
  const texts = [
    [everything ? time.slice(0, 10) : time.slice(11, 19)],
    [method],
    [String(status), archived === 'failed' || status >= 400 ? 'bad' : ''],
    [type ?? recordType],
    [size === null ? '' : bytes(size), 'number'],
    [WRITTEN[archived] ?? '', archived === 'failed' ? 'bad' : archived === 'new' ? 'good' : 'quiet'],
    [url],
  ];
  return texts.map(([text, className = '']) => element('span', { className, title: text }, text));
}
