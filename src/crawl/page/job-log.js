/** The log of a job: the newest lines, as they come, and all that are kept as a file. */
import { action, cell, section, table } from './parts.js';
import { element } from '../../web/page/show.js';
import { saveAs } from './save.js';
import { idOf, plural, when } from './values.js';
import { fetchPage, subscribe } from './wire.js';

/** That are shown. */
const MAX_LINES = 200;
const EVERY_MS = 500;

/** @returns the element, and what ends it */
export function jobLog(hex) {
  const lines = table('Log', [['Time (UTC)'], ['Why'], ['URL'], ['More']], 'Nothing was left out so far.');
  const told = element('span', { className: 'quiet' });
  let newest = [];
  let all = 0;
  let timer;
  const show = () => {
    timer = undefined;
    told.textContent = all > newest.length ? `The newest ${newest.length} of ${plural(all, 'line')}.` : '';
    lines.fill([...newest].reverse(), ({ timestamp, reason = '', url = '', detail = '' }) => [
      cell(when(timestamp), 'time'),
      cell(reason),
      cell(url, 'url'),
      cell(detail, 'url'),
    ]);
  };
  // Many may come at once: they are shown together.
  const later = () => (timer ??= setTimeout(show, EVERY_MS));
  const onEvent = ({ jobLogLine }) => {
    newest.push(jobLogLine);
    all++;
    if (newest.length > MAX_LINES) newest.shift();
    later();
  };
  const onBegin = () => {
    newest = [];
    all = 0;
    later();
  };
  const stop = subscribe({ subscribeJobLog: { jobId: idOf(hex) } }, onEvent, { onBegin });
  const save = async () => saveAs(await (await fetchPage(`/jobs/${hex}/log`)).blob(), `job-${hex}.jsonl`);
  show();
  return {
    element: section(
      'Log',
      element('p', { className: 'hint' }, 'Why links and pages were not fetched, or not as they should.'),
      lines.element,
      element('p', { className: 'row' }, action('Save the log', save), told),
    ),
    stop() {
      stop();
      clearTimeout(timer);
    },
  };
}
