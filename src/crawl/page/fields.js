/**
 * Fields of forms. Each is `{ element, read, take, clear }`: `read` gives its value, `take` takes the words of a refusal that are about it
 * and shows them beside it, `clear` takes them away.
 */
import { element } from '../../web/page/show.js';

let made = 0;

/** @param says what the words have that are about it, a regular expression. @throws from `read`: FieldError */
export class FieldError extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

/** A control with its label, a hint, and room for what is wrong with it. */
function labelled(control, { label, hint = '', says, isInline = false }) {
  const id = `field-${++made}`;
  control.id = id;
  const error = element('p', { id: `${id}-error`, className: 'error', hidden: true });
  const help = element('p', { id: `${id}-hint`, className: 'hint', hidden: hint === '' }, hint);
  control.setAttribute('aria-describedby', `${id}-hint ${id}-error`);
  const name = element('label', { htmlFor: id }, label);
  const field = {
    control,
    element: element(
      'div',
      { className: isInline ? 'field inline' : 'field' },
      ...(isInline ? [control, name] : [name, control]),
      help,
      error,
    ),
    clear() {
      error.hidden = true;
      error.textContent = '';
      control.removeAttribute('aria-invalid');
    },
    fault(message) {
      error.textContent = message;
      error.hidden = false;
      control.setAttribute('aria-invalid', 'true');
      control.focus();
    },
    take(message) {
      if (says?.test(message) !== true) return false;
      field.fault(message);
      return true;
    },
  };
  control.addEventListener('input', field.clear);
  return field;
}

/** One line of text; blank ones are undefined. */
export function textField({ value = '', type = 'text', placeholder = '', required = false, ...about }) {
  const control = element('input', { type, value, placeholder, required, spellcheck: false, autocapitalize: 'none', autocomplete: 'off' });
  if (type === 'password') control.autocomplete = 'new-password';
  const field = labelled(control, about);
  return Object.assign(field, { read: () => control.value || undefined });
}

/** A number; nothing is undefined. */
export function numberField({ value, min, ...about }) {
  const control = element('input', { type: 'number', step: 'any', value: value ?? '', inputMode: 'decimal' });
  if (min !== undefined) control.min = String(min);
  const field = labelled(control, about);
  return Object.assign(field, {
    read() {
      if (control.validity.badInput) throw new FieldError(field, 'This is not a number.');
      return control.value === '' ? undefined : Number(control.value);
    },
  });
}

/** A list of texts, one a line. */
export function linesField({ value = [], rows = 4, placeholder = '', ...about }) {
  const control = element('textarea', { rows, placeholder, value: value.join('\n'), spellcheck: false, autocapitalize: 'none' });
  const field = labelled(control, about);
  const lines = () => control.value.split('\n').map((line) => line.trim());
  return Object.assign(field, { read: () => lines().filter((line) => line !== '') });
}

export function checkField({ value = false, ...about }) {
  const control = element('input', { type: 'checkbox', checked: value });
  return Object.assign(labelled(control, { ...about, isInline: true }), { read: () => control.checked });
}

/** @param options `[value, text]` each; the value '' is undefined */
export function choiceField({ value = '', options, ...about }) {
  const control = element('select', {}, ...options.map(([each, text]) => element('option', { value: each }, text)));
  control.value = value;
  if (control.selectedIndex === -1) control.selectedIndex = 0;
  return Object.assign(labelled(control, about), { read: () => control.value || undefined });
}

/** Fields under a title. */
export function group(title, hint, ...parts) {
  return element(
    'fieldset',
    {},
    element('legend', {}, title),
    ...(hint === '' ? [] : [element('p', { className: 'hint' }, hint)]),
    ...parts.map((part) => part.element ?? part),
  );
}
