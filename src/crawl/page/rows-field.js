/** A list of alike entries in a form, such as rules: they can be added, moved and taken away, and one may stand last for all the others. */
import { element } from '../../web/page/show.js';

/**
 * @param kind as the words of a refusal have it: `MIME type rule`
 * @param columns makes the fields of an entry, by name: `(entry, isLast, number) => ({ pattern: textField(…) })`
 * @param last its entry, for a list that has one; undefined for a list without
 * @param says what the words have that are about the list as a whole
 * @param about which field is meant by the words: `[[/^Pattern/, 'pattern'], …]`
 * @param ordered whether the order counts
 */
export function rowsField({ kind, title, hint = '', entries, columns, last, says, about, ordered = true }) {
  const list = element('ol', { className: 'entries' });
  const error = element('p', { className: 'error', hidden: true, role: 'alert' });
  const add = element('button', { type: 'button', className: 'plain' }, `Add ${kind}`);
  let all = entries.map((entry) => entryOf(entry, false));
  const end = last === undefined ? undefined : entryOf(last, true);

  function entryOf(entry, isLast) {
    const fields = columns(entry, isLast);
    const parts = Object.values(fields).map((field) => field.element);
    const made = { fields, element: element('li', { className: isLast ? 'entry last' : 'entry' }) };
    const tools = element('div', { className: 'tools' });
    if (!isLast) {
      if (ordered)
        tools.append(
          tool('↑', 'Move up', () => move(made, -1)),
          tool('↓', 'Move down', () => move(made, 1)),
        );
      tools.append(tool('✕', 'Remove', () => remove(made)));
    }
    made.element.append(element('span', { className: 'place' }), element('div', { className: 'parts' }, ...parts), tools);
    return made;
  }

  function tool(sign, label, act) {
    const button = element('button', { type: 'button', className: 'plain tool', title: label }, sign);
    button.dataset.label = label;
    button.addEventListener('click', act);
    return button;
  }

  function show() {
    const shown = end === undefined ? all : [...all, end];
    shown.forEach((each, index) => {
      const name = each === end ? `last ${kind}` : `${kind} ${index + 1}`;
      each.element.firstChild.textContent = each === end ? 'else' : `${index + 1}`;
      each.element.setAttribute('aria-label', name);
      for (const button of each.element.querySelectorAll('.tool')) {
        button.setAttribute('aria-label', `${button.dataset.label}: ${name}`);
        button.disabled = (button.textContent === '↑' && index === 0) || (button.textContent === '↓' && index === all.length - 1);
      }
    });
    list.replaceChildren(...shown.map((each) => each.element));
  }

  function move(which, by) {
    const at = all.indexOf(which);
    [all[at], all[at + by]] = [all[at + by], all[at]];
    show();
    which.element.querySelector('.tool:not(:disabled)')?.focus();
  }

  function remove(which) {
    all = all.filter((each) => each !== which);
    show();
    add.focus();
  }

  add.addEventListener('click', () => {
    const entry = entryOf({}, false);
    all.push(entry);
    show();
    Object.values(entry.fields)[0].control.focus();
  });
  show();

  const valuesOf = ({ fields }) => Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.read()]));
  const fault = (message) => {
    error.textContent = message;
    error.hidden = false;
  };
  return {
    element: element(
      'fieldset',
      {},
      element('legend', {}, title),
      ...(hint === '' ? [] : [element('p', { className: 'hint' }, hint)]),
      list,
      error,
      add,
    ),
    read: () => [...all.map(valuesOf), ...(end === undefined ? [] : [valuesOf(end)])],
    clear() {
      error.hidden = true;
      for (const { fields } of end === undefined ? all : [...all, end]) for (const field of Object.values(fields)) field.clear();
    },
    take(message) {
      const [, which] = new RegExp(`\\bin (?:last )?${kind}(?: #(\\d+))?\\.$`, 'i').exec(message) ?? [undefined, null];
      if (which === null) {
        if (says?.test(message) !== true) return false;
        fault(message);
        return true;
      }
      const entry = which === undefined ? (end ?? all.at(-1)) : all[Number(which) - 1];
      const [, name] = about.find(([words]) => words.test(message)) ?? [];
      if (entry?.fields[name] === undefined) fault(message);
      else entry.fields[name].fault(message);
      return true;
    },
  };
}
