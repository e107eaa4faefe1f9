/**
 * One item: what was asked and answered, where it stands in the archive, and its body.
 *
 * A body is from anywhere: it is shown as text, or as a picture of a kind that holds no code, and never as a page.
 */
import { resultClass, resultOf } from './items.js';
import { action, cell, facts, link, section, table } from './parts.js';
import { bytes, element, number } from '../../web/page/show.js';
import { saveAs } from './save.js';
import { lasting, when } from './values.js';
import { fetchPage, replayOf } from './wire.js';

/** Of a text that is shown, and of a picture. */
const MAX_TEXT = 200_000;
const MAX_PICTURE = 20_000_000;
const PICTURES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif', 'image/bmp', 'image/x-icon']);
const TEXTS = /^(?:text\/|application\/(?:.*\+)?(?:json|xml|javascript|ecmascript|x-ndjson|x-www-form-urlencoded)$|image\/svg)/;

export async function itemView(place, hex, sequence) {
  const path = `/jobs/${hex}/items/${sequence}`;
  const item = await (await fetchPage(path)).json();
  const { url, finalUrl, headers = [], warcFile, warcOffset, warcRecordId } = item;
  const leaving = new AbortController();
  const pictures = [];
  const fields = table('Header', [['Field'], ['Value']], 'There is none.');
  fields.fill(headers, ({ key = '', value = '' }) => [cell(key), cell(value, 'url')]);
  const body = element('div', {}, element('p', { className: 'quiet' }, 'Loading …'));
  const save = async () => saveAs(await (await fetchPage(`${path}/body`)).blob(), fileName(url));
  const hasBody = item.statusCode !== undefined;

  place.append(
    section(
      `Item ${number(Number(sequence))}`,
      element('p', {}, link('Back to the job', `#/jobs/${hex}`)),
      facts(
        [
          ['URL', outLink(url)],
          ['Redirected to', finalUrl && outLink(finalUrl)],
          ['Replay', replayed(item)],
          ['Result', hasBody && element('span', { className: resultClass(item) }, resultOf(item))],
          ['Failed with', !hasBody && element('pre', { className: 'bad' }, resultOf(item))],
          ['Type', item.contentType],
          ['Cost', String(item.cost ?? 0)],
          ['Took', lasting(item.duration)],
          ['Started', `${when(item.startedAt)} UTC`],
          ['WARC file', warcFile && element('code', {}, warcFile)],
          ['Offset', warcOffset && number(Number(warcOffset))],
          ['WARC record', warcRecordId && element('code', {}, warcRecordId)],
        ].map(([name, value]) => [name, value || undefined]),
      ),
    ),
    ...(hasBody
      ? [section('Body', body, element('p', { className: 'row' }, action('Save the body', save))), section('Header', fields.element)]
      : []),
  );
  if (hasBody) void showBody(body, item, path, leaving.signal, pictures).catch((error) => tell(body, error));
  return () => {
    leaving.abort();
    for (const each of pictures) URL.revokeObjectURL(each);
  };
}

function tell(body, error) {
  if (error.name !== 'AbortError') body.replaceChildren(element('p', { className: 'error', role: 'alert' }, error.message));
}

/** To the site itself, which is told nothing of this page. */
function outLink(url, text = url) {
  return /^https?:\/\//i.test(url) ? link(text, url, { target: '_blank', rel: 'noreferrer noopener' }) : url;
}

/** What is archived, as a page: elsewhere, as here nothing of it may run. */
function replayed({ url, startedAt, warcRecordId }) {
  const address = warcRecordId && replayOf(url, startedAt);
  return address && outLink(address, 'as it was then');
}

async function showBody(body, { contentType = '', headers = [] }, path, signal, pictures) {
  const response = await fetchPage(`${path}/body`, { signal });
  const size = Number(response.headers.get('content-length'));
  if (size === 0) return body.replaceChildren(element('p', { className: 'quiet' }, 'It is empty.'));
  if (PICTURES.has(contentType) && size <= MAX_PICTURE) {
    const source = URL.createObjectURL(new Blob([await response.arrayBuffer()], { type: contentType }));
    pictures.push(source);
    return body.replaceChildren(element('img', { src: source, alt: 'The picture that was fetched', className: 'picture' }));
  }
  const { start, isWhole } = await beginning(response);
  const sniffed = TEXTS.test(contentType) || (contentType === '' && !start.includes(0));
  if (!sniffed)
    return body.replaceChildren(element('p', { className: 'quiet' }, `${bytes(size)} that are not shown: ${contentType || 'no type'}.`));
  const told = isWhole ? bytes(size) : `The first ${bytes(start.length)} of ${bytes(size)}`;
  const text = element('pre', { className: 'body', tabIndex: 0 }, decoderOf(headers).decode(start));
  text.setAttribute('aria-label', 'The body as text');
  body.replaceChildren(element('p', { className: 'hint' }, told), text);
}

/** No more than is shown is read. */
async function beginning(response) {
  const reader = response.body.getReader();
  const pieces = [];
  let size = 0;
  while (size <= MAX_TEXT) {
    const { value } = await reader.read();
    if (value === undefined) break;
    pieces.push(value);
    size += value.length;
  }
  const isWhole = size <= MAX_TEXT;
  if (!isWhole) void reader.cancel();
  const start = new Uint8Array(await new Blob(pieces).arrayBuffer());
  return { start: start.subarray(0, MAX_TEXT), isWhole };
}

function decoderOf(headers) {
  const type = headers.find(({ key }) => key === 'CONTENT-TYPE')?.value ?? '';
  try {
    return new TextDecoder(/charset="?([^\s";]+)/i.exec(type)?.[1] ?? 'utf-8');
  } catch {
    return new TextDecoder();
  }
}

function fileName(url) {
  return (
    url
      .split(/[?#]/, 1)[0]
      .split('/')
      .at(-1)
      .replace(/[^\w.-]/g, '_')
      .slice(-80) || 'body'
  );
}
