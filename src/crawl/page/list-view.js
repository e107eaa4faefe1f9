/** A place that lists what clients set: a table, a page at a time, with a button to delete each. */
import { action, link, pager, section, table } from './parts.js';
import { element } from '../../web/page/show.js';

const LIMIT = 50;

/**
 * @param about `title`, `heads`, `empty`, `more` elements above the table, `make`: `[text, address]` of the form for a new one, `list(page)`
 *   that resolves with entries and total, `cells(entry)`, `nameOf(entry)`, `remove(entry)`, undefined for what cannot be taken away
 */
export async function listView(
  place,
  { title, hint = '', heads, empty, make, more = [], list, cells, nameOf, remove, buttons = () => [] },
) {
  const entries = table(title, [...heads, ['']], empty);
  let at = 0;
  const turn = async (offset) => {
    const { found, total } = await list({ limit: LIMIT, offset });
    at = offset;
    pages.show(at, total);
    pages.element.hidden = total <= LIMIT;
    entries.fill(found, (entry) => [...cells(entry), element('td', { className: 'tools' }, ...buttons(entry), ...removal(entry))]);
  };
  const removal = (entry) => {
    const act = remove(entry);
    if (act === undefined) return [];
    const name = nameOf(entry);
    const gone = async () => {
      await act();
      await turn(at);
    };
    return [action('Delete', gone, { label: name, question: `Delete ${name}?` })];
  };
  const pages = pager(LIMIT, (offset) => void turn(offset).catch(() => undefined));
  await turn(0);
  const head = make === undefined ? [] : [element('p', { className: 'row' }, link(make[0], make[1], { className: 'button' }))];
  const said = hint === '' ? [] : [element('p', { className: 'hint' }, hint)];
  place.append(section(title, ...said, ...head, entries.element, pages.element, ...more));
  return { refresh: () => turn(at) };
}
