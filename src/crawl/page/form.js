/** Forms: what is entered goes to the server, and what it refuses is shown beside the field that it is about, in its own words. */
import { element } from '../../web/page/show.js';
import { FieldError } from './fields.js';

/**
 * @param fields all that may take words of a refusal
 * @param parts what is shown, in this order: fields, or elements with fields in them
 * @param save sends what was entered. @throws Refused
 */
export function form({ fields, parts, button, save }) {
  const error = element('p', { className: 'error', role: 'alert' });
  const submit = element('button', { type: 'submit' }, button);
  const made = element(
    'form',
    { noValidate: true },
    ...parts.map((part) => part.element ?? part),
    element('p', { className: 'row' }, submit),
    error,
  );
  made.addEventListener('submit', async (event) => {
    event.preventDefault();
    error.textContent = '';
    for (const field of fields) field.clear();
    submit.disabled = true;
    try {
      await save();
    } catch (refusal) {
      submit.disabled = false;
      if (refusal instanceof FieldError) refusal.field.fault(refusal.message);
      else if (!fields.some((field) => field.take(refusal.message))) error.textContent = refusal.message;
    } finally {
      submit.disabled = false;
    }
  });
  return made;
}

/** Without what is undefined. */
export const present = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
