/** The page `/replay/`: search, captures of a URL by year and day, and how one is opened. `?url=` and `/replay/TIME/URL` lead to one. */
import { arrive, read } from '../page/places.js';
import { bytes, cell, element, number, rows } from '../page/show.js';
import { calendar } from './calendar.js';
import { canShow, hide, show } from './inside.js';

const at = (id) => document.getElementById(id);
const shown = (time) => time.slice(0, 19).replace('T', ' ');
let about;
let throughPlayback = false;
let pieces = [];
let urls = new Map();
/** a search or a URL that was asked for later counts */
let asked = 0;

function complain(error) {
  at('error').textContent = error.message;
  at('error').hidden = false;
}

/** Runs what may fail; what was said before is taken back. */
async function trying(work) {
  at('error').hidden = true;
  try {
    await work();
  } catch (error) {
    complain(error);
  }
}

async function search(query) {
  const now = ++asked;
  const { urls: found, next } = await read(`/replay/urls.json?${new URLSearchParams(query)}`);
  if (now !== asked) return;
  for (const each of found) {
    const known = urls.get(each.url);
    urls.set(each.url, known === undefined ? each : joined(known, each));
  }
  pieces = [...next, ...pieces];
  showUrls();
}

function joined(one, other) {
  const [first, last] = [one.first < other.first ? one.first : other.first, one.last > other.last ? one.last : other.last];
  return { ...one, captures: one.captures + other.captures, first, last };
}

function showUrls() {
  const columns = ({ url, captures, first, last }) => {
    const link = element('a', { href: `/replay/?${new URLSearchParams({ url })}`, className: 'clamped', title: url }, url);
    link.addEventListener('click', (event) => {
      event.preventDefault();
      window.history.pushState(null, '', link.href);
      void trying(() => showUrl(url));
    });
    return [
      element('td', { className: 'url' }, link),
      cell(number(captures), 'number'),
      cell(shown(first), 'time'),
      cell(shown(last), 'time'),
    ];
  };
  rows(at('urls'), [...urls.values()], columns, 'Nothing with this beginning was archived.', 4);
  at('more').hidden = pieces.length === 0;
}

async function showUrl(url, time) {
  const now = ++asked;
  const { captures, all } = await read(`/replay/captures.json?${new URLSearchParams({ url })}`);
  if (now !== asked) return;
  at('one').hidden = false;
  at('chosen').hidden = true;
  at('one-title').textContent = url;
  at('timemap').href = `/replay/timemap/link/${url}`;
  const byDay = new Map();
  for (const { time: each } of captures) byDay.set(each.slice(0, 10), (byDay.get(each.slice(0, 10)) ?? 0) + 1);
  const last = captures.at(-1);
  const count = `${number(captures.length)}${all ? '' : ' or more'}`;
  at('sum').textContent =
    last === undefined ? 'Nothing of this URL was archived.' : `${count} ${captures.length === 1 ? 'capture' : 'captures'}, times are UTC.`;
  const years = [...new Set(captures.map((capture) => capture.time.slice(0, 4)))];
  at('year').replaceChildren(...years.map((year) => element('option', { value: year }, year)));
  const chosen = time === undefined ? last : nearest(captures, time);
  if (chosen === undefined) return void at('calendar').replaceChildren();
  const showYear = () => at('calendar').replaceChildren(...calendar(at('year').value, byDay, showDay));
  const showDay = (day) => {
    for (const button of at('calendar').querySelectorAll('button')) button.setAttribute('aria-pressed', String(button.dataset.day === day));
    at('day-title').textContent = day;
    const those = captures.filter((capture) => capture.time.startsWith(day));
    at('day').replaceChildren(...those.map((capture) => captureButton(url, capture)));
  };
  at('year').value = chosen.time.slice(0, 4);
  at('year').onchange = () => {
    showYear();
    at('day-title').textContent = '';
    at('day').replaceChildren();
  };
  showYear();
  showDay(chosen.time.slice(0, 10));
  if (time !== undefined) choose(url, chosen);
  at('one-title').scrollIntoView({ block: 'start' });
}

function nearest(captures, time) {
  const wanted = time.padEnd(14, '0');
  const distance = (capture) => Math.abs(Number(capture.time.replace(/\D/g, '').slice(0, 14)) - Number(wanted));
  return captures.reduce((best, each) => (best === undefined || distance(each) < distance(best) ? each : best), undefined);
}

function captureButton(url, capture) {
  const button = element('button', { type: 'button' }, capture.time.slice(11, 19));
  button.addEventListener('click', () => choose(url, capture));
  const size = capture.size === null ? '' : `, ${bytes(capture.size)}`;
  return element('li', {}, button, element('span', { className: 'quiet' }, ` ${capture.type}${size}`));
}

/** In single quotes, for a shell. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function choose(url, { time }) {
  const { playback } = about;
  const stamp = time.replace(/\D/g, '').slice(0, 14);
  at('chosen').hidden = false;
  hide(at('frame'));
  at('chosen-title').textContent = `Captured ${shown(time)} UTC`;
  const isWeb = /^https?:/.test(url);
  const plain = url.replaceAll('#', '%23');
  const opened = `http://warctap.test/replay/open/${stamp}/${plain}`;
  for (const [id, when] of [
    ['open', stamp],
    ['newest', 'newest'],
  ]) {
    at(id).hidden = !isWeb || !throughPlayback;
    at(id).href = `/replay/open/${when}/${plain}`;
  }
  at('show').hidden = !isWeb || throughPlayback || !canShow(about);
  at('show').onclick = () => show(at('frame'), { about, url, stamp });
  at('how').textContent = howToOpen(isWeb);
  const date = quoted(`Accept-Datetime: ${new Date(time).toUTCString()}`);
  at('curl').textContent = `curl --proxy ${playback} --cacert warctap-ca.pem --header ${date} ${quoted(url)}`;
  at('browser').textContent =
    `chromium --proxy-server=${playback} --proxy-bypass-list='<-loopback>' --user-data-dir=/tmp/replay ${quoted(isWeb ? opened : url)}`;
  window.history.replaceState(null, '', `/replay/${stamp}/${plain}`);
  at('chosen-title').scrollIntoView({ block: 'nearest' });
}

function howToOpen(isWeb) {
  if (!isWeb) return 'This is no page: curl gets it.';
  if (throughPlayback) return 'All that this browser asks for comes out of the archive, as it was at the time that you open.';
  if (canShow(about)) return 'ReplayWeb.page shows it here, out of the archive.';
  if (about.inPage) return 'ReplayWeb.page is there, and can show it in this page at http://127.0.0.1 or http://localhost only.';
  return 'To see captures in this page: npm install --global replaywebpage (ReplayWeb.page, AGPL-3.0), and start warctap again.';
}

/** Only what comes through the playback proxy gets this answer by that name. */
async function lookAround() {
  const via = await fetch('http://warctap.test/replay/via.json')
    .then((response) => response.json())
    .catch(() => undefined);
  throughPlayback = via?.playback === true;
  at('via').textContent = !throughPlayback
    ? `Captures are played by the playback proxy, ${about.playback}. This browser does not come through it.`
    : via.at === null
      ? 'This browser comes through the playback proxy: links lead into the archive, to the newest captures.'
      : `This browser sees the archive as it was at ${shown(via.at)} UTC. `;
  if (throughPlayback && via.at !== null) at('via').append(element('a', { href: '/replay/open/newest/' }, 'See the newest'));
}

/** Where the address leads. */
function arriveAt() {
  const [, time, url] = /^\/replay\/(\d{4,14})\/(.*)$/s.exec(location.pathname + location.search) ?? [];
  const wanted = url?.replaceAll('%23', '#') ?? new URLSearchParams(location.search).get('url');
  return wanted === null ? undefined : trying(() => showUrl(wanted, time));
}

at('search').addEventListener('submit', (event) => {
  event.preventDefault();
  [urls, pieces] = [new Map(), []];
  void trying(() => search({ q: at('q').value.trim() }));
});
at('more').addEventListener('click', () => {
  const piece = pieces.shift();
  if (piece !== undefined) void trying(() => search(piece));
});
window.addEventListener('popstate', () => void arriveAt());

await trying(async () => {
  about = await arrive();
  await lookAround();
  await search({ q: '' });
  await arriveAt();
});
