/** Parts that several places have: tables, pages of lists, buttons that do something. */
import { cell, element, rows } from '../../web/page/show.js';

export const link = (text, href, properties = {}) => element('a', { href, ...properties }, text);

/** @param children of which the first is the title, or elements */
export function section(title, ...children) {
  const heading = element('h2', {}, title);
  const made = element('section', {}, heading, ...children);
  made.setAttribute('aria-label', title);
  return made;
}

/** @param heads `[title, class]` each. @returns the element, and `fill(list, columns)` */
export function table(label, heads, empty) {
  const body = element('tbody');
  const titles = heads.map(([text, className = '']) => element('th', { scope: 'col', className }, text));
  const made = element('table', {}, element('thead', {}, element('tr', {}, ...titles)), body);
  const scroll = element('div', { className: 'scroll', tabIndex: 0 }, made);
  scroll.setAttribute('role', 'region');
  scroll.setAttribute('aria-label', label);
  return { element: scroll, body, fill: (list, columns) => rows(body, list, columns, empty, heads.length) };
}

/** A button that asks the server for something; what is refused is shown behind it. */
export function action(text, act, { label, question, isPlain = true } = {}) {
  const button = element('button', { type: 'button', className: isPlain ? 'plain' : '' }, text);
  if (label !== undefined) button.setAttribute('aria-label', `${text}: ${label}`);
  const error = element('span', { className: 'error', role: 'alert' });
  button.addEventListener('click', async () => {
    if (question !== undefined && !confirm(question)) return;
    button.disabled = true;
    error.textContent = '';
    try {
      await act();
    } catch (refusal) {
      error.textContent = refusal.message;
    } finally {
      button.disabled = false;
    }
  });
  return element('span', { className: 'action' }, button, error);
}

/** Buttons that turn the pages of a list. @param turn is given the new offset. @returns the element, and `show(offset, total)` */
export function pager(limit, turn) {
  const said = element('span', { className: 'quiet' });
  let offset = 0;
  let total = 0;
  const button = (text, to) => {
    const made = element('button', { type: 'button', className: 'plain' }, text);
    made.addEventListener('click', () => turn(Math.max(0, to())));
    return made;
  };
  const first = button('First', () => 0);
  const before = button('Previous', () => offset - limit);
  const after = button('Next', () => offset + limit);
  const last = button('Last', () => Math.floor((total - 1) / limit) * limit);
  return {
    element: element('p', { className: 'row pager' }, first, before, after, last, said),
    show(newOffset, newTotal) {
      [offset, total] = [newOffset, newTotal];
      for (const each of [first, before, after, last]) each.hidden = total <= limit;
      first.disabled = before.disabled = offset === 0;
      after.disabled = last.disabled = offset + limit >= total;
      const to = Math.min(offset + limit, total);
      said.textContent =
        total === 0 ? '' : `${(offset + 1).toLocaleString('en')} to ${to.toLocaleString('en')} of ${total.toLocaleString('en')}`;
    },
  };
}

/** Names and values. @param pairs `[name, text or element]`; those without a value are left out */
export function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== undefined && value !== '');
  return element('dl', { className: 'facts' }, ...known.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]));
}

const STATES = {
  RUNNING: 'running',
  PAUSED: 'paused',
  PENDING: 'waits to start',
  COMPLETED: 'completed',
  CANCELLED: 'cancelled',
  DELETED: 'deleted',
};

export const stateMark = (state) => element('span', { className: `state ${(state ?? '').toLowerCase()}` }, STATES[state] ?? '');

export const linkCell = (text, href) => element('td', { className: 'name', title: text }, link(text, href));

export { cell };
