/** The page: what the proxy tells of itself, whether this browser comes through it, and the steps of a system. */
import { arrive } from '../page/places.js';
import { element } from '../page/show.js';
import { SYSTEMS, systemOf } from './steps.js';

const byId = (id) => document.getElementById(id);
/** Who has no proxy finds no such name, which takes a while. */
const PATIENCE_MS = 8000;

async function begin() {
  const about = await arrive();
  byId('where').textContent = `This one (version ${about.version}) runs on ${about.host}, and listens at ${about.proxy}.`;
  byId('password').textContent = about.password;
  showFacts(about);
  showSystems(about);
  await look(about);
}

function showFacts({ ca, proxy, playback }) {
  const pairs = [
    ['Authority', ca.name],
    ['SHA-256', element('span', { className: 'digest' }, ca.sha256)],
    ['Valid until', ca.validTo.slice(0, 10)],
    ['Proxy', proxy],
    ['PAC file', element('a', { href: '/proxy.pac' }, pacOf(proxy))],
    ...(playback === undefined ? [] : [['Playback proxy', playback.replace('http://', '')]]),
  ];
  byId('facts').replaceChildren(...pairs.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]));
}

const pacOf = (proxy) => `http://${proxy}/proxy.pac`;

/** Asked for by our own names, which lead here only through the proxy. */
async function look({ instance, through, proxy, login }) {
  const [plain, secure] = await Promise.all([
    through ? instance : instanceAt('http://warctap.test/via.json'),
    instanceAt('https://trust.warctap.test/via.json'),
  ]);
  const comes = plain === instance;
  if (comes) say('via', 'yes', 'It comes through this proxy.', 'What it loads is archived.');
  else if (plain !== undefined)
    say('via', 'no', 'It comes through another warctap, not through this one.', 'Change its proxy, as told below.');
  else
    say(
      'via',
      'no',
      'It does not come through this proxy.',
      `Set ${proxy} as its proxy, as told below.${login ? ' It will ask for a user and a password.' : ''}`,
    );
  if (secure === instance) say('trust', 'yes', 'It trusts the certificate.', 'HTTPS works, and is archived.');
  else if (comes)
    say(
      'trust',
      'no',
      'It does not trust the certificate.',
      'Sites with HTTPS show warnings or do not open: import the certificate, as told below.',
    );
  else say('trust', 'open', 'Whether it trusts the certificate is seen only through the proxy.');
}

/** The proxy behind a name of ours, or undefined when there is none, or TLS with it is not trusted. */
async function instanceAt(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), cache: 'no-store' });
    return response.ok ? (await response.json()).instance : undefined;
  } catch {
    return undefined;
  }
}

function say(id, answer, line, more = '') {
  const place = byId(id);
  place.className = `check ${answer}`;
  place.replaceChildren(element('span', {}, line), ...(more === '' ? [] : [element('span', { className: 'quiet' }, more)]));
}

function showSystems(about) {
  const [, host, port] = /^(.*):(\d+)$/.exec(about.proxy);
  const at = {
    origin: location.origin,
    through: about.through,
    login: about.login,
    proxy: about.proxy,
    host,
    port,
    pac: pacOf(about.proxy),
    authority: about.ca.name,
    password: about.password,
  };
  const buttons = SYSTEMS.map((system) => {
    const button = element('button', { type: 'button', className: 'plain' }, system.title);
    button.addEventListener('click', () => choose(system));
    return button;
  });
  const choose = (chosen) => {
    buttons.forEach((button, index) => button.setAttribute('aria-pressed', String(SYSTEMS[index] === chosen)));
    byId('steps').replaceChildren(
      ...part('Trust the certificate', chosen.trust(at)),
      ...part('Lead it through the proxy', chosen.proxy(at)),
      ...(chosen.undo === undefined ? [] : part('Afterwards', chosen.undo(at))),
    );
  };
  byId('systems').replaceChildren(...buttons);
  const here = systemOf(navigator.userAgent, navigator.maxTouchPoints);
  choose(SYSTEMS.find(({ id }) => id === here));
}

function part(title, steps) {
  const items = [];
  for (const step of steps) {
    const content = Array.isArray(step) ? [command(step[0])] : inline(step);
    // A command belongs to what is said of it.
    if (Array.isArray(step) && items.at(-1)?.said === true) items.at(-1).content.push(...content);
    else items.push({ said: !Array.isArray(step), content });
  }
  return [element('h3', {}, title), element('ol', {}, ...items.map(({ content }) => element('li', {}, ...content)))];
}

/** What stands between backticks is code. */
const inline = (text) => text.split('`').map((piece, index) => (index % 2 === 0 ? piece : element('code', {}, piece)));

function command(text) {
  const lines = element('pre', { tabIndex: 0 }, text);
  // Browsers give the clipboard to pages of this machine and of TLS only.
  if (navigator.clipboard === undefined) return element('div', { className: 'command' }, lines);
  const copy = element('button', { type: 'button', className: 'plain' }, 'Copy');
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(text);
    copy.textContent = 'Copied';
  });
  return element('div', { className: 'command' }, lines, copy);
}

begin().catch((error) => {
  say('via', 'no', error.message);
  say('trust', 'open', 'Nothing is known of the certificate.');
});
