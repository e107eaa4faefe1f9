/** One capture, opened: what was asked and answered, where it stands, and its body, as text or a picture and never as a page. */
import { read } from '../page/places.js';
import { bytes, element, number } from '../page/show.js';

const byId = (id) => document.getElementById(id);
let url;

export async function openCapture(capture, about) {
  const dialog = byId('capture');
  byId('capture-title').textContent = `${capture.method ?? ''} ${capture.url}`.trim();
  const content = byId('capture-content');
  content.replaceChildren(element('p', { className: 'quiet' }, '…'));
  if (!dialog.open) dialog.showModal();
  byId('capture-title').focus();
  try {
    const query = queryOf(capture, about.recentInstance);
    const found = await read(`/dashboard/capture.json?${query}`);
    content.replaceChildren(...(await parts(found, query, about)));
  } catch (error) {
    content.replaceChildren(element('p', { className: 'error' }, error.message));
  }
}

/** What is in memory is asked for by its number, what only the index has by its record. */
function queryOf({ id, recordId, url: of }, instance) {
  return new URLSearchParams(id === undefined ? { record: recordId, url: of } : { id, instance });
}

async function parts({ event, time, url: of, records }, query, about) {
  const [principal] = records;
  const request = records.find(({ type }) => type === 'request');
  // Its record only says why there is no answer.
  const failed = event?.error !== undefined;
  return [
    facts(event, time, failed ? undefined : principal, of, about),
    ...(request?.head === undefined ? [] : headPart('Request', request.head)),
    ...(principal?.head === undefined ? [] : headPart(failed || event?.kind === 'custom' ? 'Record' : 'Response', principal.head)),
    ...(principal === undefined || failed ? [] : await bodyPart(query)),
    ...records.map(recordPart),
  ];
}

function facts(event, time, principal, of, about) {
  const pairs = [
    ['Time', `${time.replace('T', ' ').replace('Z', '')} UTC`],
    ['Answer', event && (event.error === undefined ? String(event.status) : `${event.error.code}: ${event.error.message}`)],
    ['Took', event && `${number(event.duration)} ms, ${bytes(event.size)}`],
    ['Spoken', [event?.protocol, event?.ip].filter((part) => part !== undefined).join(', ')],
    ['Referer', event?.referer],
    ['Not whole', event?.truncated],
    ['Digest', event?.digest && element('span', { className: 'mono' }, event.digest)],
    ['Duplicate of', event?.duplicateOf && clamped(`${event.duplicateOf.date}, ${event.duplicateOf.url}`)],
    ['Buckets', event?.buckets.join(', ')],
    ['File', principal && `${principal.file}, from byte ${number(principal.offset)}`],
    ['Play it back', playback(time, of, principal, about)],
  ];
  const known = pairs.filter(([, value]) => value !== undefined && value !== null && value !== '');
  return element('dl', { className: 'facts' }, ...known.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]));
}

/** By the page that opens archived pages, and by hand. */
function playback(time, of, principal, { playback: proxy, pages }) {
  if (proxy === undefined || principal === undefined || principal.type === 'request') return undefined;
  const date = new Date(time).toUTCString();
  const command = `curl --proxy ${proxy} --cacert warctap-ca.pem --header 'Accept-Datetime: ${date}' ${shell(of)}`;
  const link = `/replay/?${new URLSearchParams({ url: of, time: time.replace(/\D/g, '').slice(0, 14) })}`;
  return element(
    'span',
    { className: 'play' },
    ...(pages.includes('/replay/') ? [element('a', { className: 'button', href: link }, 'Open it')] : []),
    element('code', {}, command),
  );
}

const clamped = (text) => element('span', { className: 'clamped', title: text }, text);

const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;

const headPart = (title, text) => [element('h3', {}, title), element('pre', { className: 'head', tabIndex: 0 }, text)];

async function bodyPart(query) {
  const title = element('h3', {}, 'Body');
  const place = `/dashboard/body?${query}`;
  const save = element('p', {}, element('a', { href: `${place}&file`, download: 'body' }, 'Save it as it was archived'));
  const response = await fetch(place);
  if (!response.ok) return [title, element('p', { className: 'quiet' }, (await response.text()).trim())];
  const type = response.headers.get('content-type') ?? '';
  const problem = response.headers.get('x-body-problem');
  const notes = [
    ...(problem === null ? [] : [element('p', { className: 'error' }, decodeURIComponent(problem))]),
    ...(response.headers.get('x-body-whole') === 'true' || problem !== null
      ? []
      : [element('p', { className: 'quiet' }, 'This is its beginning.')]),
  ];
  URL.revokeObjectURL(url);
  if (type.startsWith('image/')) {
    url = URL.createObjectURL(await response.blob());
    return [title, element('img', { className: 'picture', src: url, alt: 'The archived picture' }), ...notes, save];
  }
  if (!type.startsWith('text/'))
    return [title, element('p', { className: 'quiet' }, 'It is neither text nor a picture that is shown here.'), save];
  const text = await response.text();
  if (text === '') return [title, element('p', { className: 'quiet' }, 'It is empty.'), ...notes];
  return [title, element('pre', { className: 'body', tabIndex: 0 }, text), ...notes, save];
}

function recordPart({ type, id, file, offset, length, header, problem }) {
  const lines = header?.map(([name, value]) => `${name}: ${value}`).join('\n') ?? problem;
  const place = `${file}, bytes ${number(offset)} to ${number(offset + length - 1)}`;
  return element(
    'details',
    {},
    element('summary', {}, `Record ${type} ${id}`),
    element('p', { className: 'quiet' }, place),
    element('pre', { className: problem === undefined ? 'head' : 'error', tabIndex: 0 }, lines),
  );
}
