/** The items of a job, newest first, a page at a time, without their bodies. */
import { cell, linkCell, pager, section, table } from './parts.js';
import { element, number } from '../../web/page/show.js';
import { idOf, lasting, when } from './values.js';
import { ask } from './wire.js';

const LIMIT = 25;
const KINDS = [
  ['all', 'All', { includeSuccess: true, includeError: true, includeException: true }],
  ['good', 'Good', { includeSuccess: true }],
  ['errors', 'HTTP errors', { includeError: true }],
  ['failed', 'Failed', { includeException: true }],
];
const HEADS = [['Result'], ['URL'], ['Type'], ['Took', 'number'], ['Started (UTC)'], ['Number', 'number']];
/** A list that changes is asked for again at most so often. */
const EVERY_MS = 2000;

export const resultOf = ({ statusCode, exception }) => (statusCode === undefined ? (exception ?? 'failed') : String(statusCode));
export const resultClass = ({ isSuccess }) => (isSuccess ? 'good' : 'bad');

/** The server goes past what is in front of a page: what is nearer to the oldest is asked for from there. */
async function pageOf(command, offset, known) {
  const isOld = offset > known / 2;
  const from = isOld ? Math.max(0, known - offset - LIMIT) : offset;
  const page = { limit: isOld ? Math.min(LIMIT, known - offset) : LIMIT, offset: from };
  const { listItems } = await ask({ getJobItems: { ...command, newestFirst: !isOld, page } });
  const { items = [], total = 0 } = listItems;
  return { found: isOld ? items.reverse() : items, total };
}

/** @returns the element, `show()`, and `changed()` for when the job has more */
export function itemList(hex) {
  const items = table('Items', HEADS, 'There is none.');
  const error = element('p', { className: 'error', role: 'alert' });
  let include = KINDS[0][2];
  let at = 0;
  let known = 0;
  let timer;
  const cells = (item) => [
    cell(resultOf(item).split('\n').at(0), `result ${resultClass(item)}`),
    Object.assign(linkCell(item.url, `#/jobs/${hex}/items/${item.sequence}`), { className: 'url', title: item.url }),
    cell(item.contentType ?? ''),
    cell(lasting(item.duration), 'number'),
    cell(when(item.startedAt), 'time'),
    cell(number(Number(item.sequence)), 'number'),
  ];
  const turn = async (offset) => {
    const { found, total } = await pageOf({ jobId: idOf(hex), ...include, withoutBody: true }, offset, known);
    [at, known] = [offset, total];
    pages.show(at, total);
    // A link that has the focus stays where it is.
    if (items.body.contains(document.activeElement)) return;
    items.fill(found, cells);
  };
  const guarded = (offset) =>
    turn(offset).then(
      () => (error.textContent = ''),
      (refusal) => (error.textContent = refusal.message),
    );
  const pages = pager(LIMIT, guarded);
  const choice = element('p', { className: 'row choice' });
  choice.setAttribute('role', 'group');
  choice.setAttribute('aria-label', 'Which items');
  for (const [, text, flags] of KINDS) {
    const button = element('button', { type: 'button', className: 'plain', ariaPressed: String(flags === include) }, text);
    button.addEventListener('click', () => {
      include = flags;
      for (const each of choice.children) each.ariaPressed = String(each === button);
      void guarded(0);
    });
    choice.append(button);
  }
  return {
    element: section('Items', choice, items.element, error, pages.element),
    show: () => guarded(at),
    /** Further pages stand still, as else what is read would move away. */
    changed() {
      if (at > 0 || timer !== undefined) return;
      timer = setTimeout(() => {
        timer = undefined;
        if (items.element.isConnected && at === 0) void guarded(0);
      }, EVERY_MS);
    },
  };
}
