/** Rate limits: the list of them, and the form that sets one. */
import { numberField, textField } from './fields.js';
import { form, present } from './form.js';
import { listView } from './list-view.js';
import { action, cell } from './parts.js';
import { element } from '../../web/page/show.js';
import { single } from './values.js';
import { ask } from './wire.js';

export async function limitsView(place) {
  const fields = {
    domain: textField({
      label: 'Host',
      hint: 'Left out, it is the limit of all hosts that have none of their own.',
      placeholder: 'example.com',
      says: /domain|host/i,
    }),
    delay: numberField({ label: 'Seconds between two requests', hint: '0 is no limit.', value: 5, min: 0, says: /delay/i }),
  };
  const said = element('p', { className: 'good' });
  said.setAttribute('role', 'status');
  const save = async () => {
    said.textContent = '';
    const delay = fields.delay.read();
    if (delay === undefined) return fields.delay.fault('Delay must be ≥0');
    await ask({ setRateLimit: present({ domain: fields.domain.read(), delay }) });
    fields.domain.control.value = '';
    said.textContent = 'Set.';
    await list.refresh();
  };
  const all = Object.values(fields);
  const made = form({
    fields: all,
    parts: [element('div', { className: 'columns' }, ...all.map((field) => field.element))],
    button: 'Set',
    save,
  });
  made.append(said);
  const list = await listView(place, {
    title: 'Rate limits',
    hint: 'All jobs together leave so much time between the end of a request to a host and the start of the next.',
    heads: [['Host'], ['Seconds', 'number']],
    empty: 'There is no limit.',
    more: [element('h3', {}, 'Set a limit'), made],
    list: async (page) => {
      const { listRateLimits } = await ask({ listRateLimits: { page } });
      return { found: listRateLimits.rateLimits ?? [], total: listRateLimits.total ?? 0 };
    },
    cells: ({ domain, delay }) => [cell(domain || 'all others', 'name'), cell(String(single(delay ?? 0)), 'number')],
    buttons: ({ domain = '', delay = 0 }) => {
      const edit = () => {
        fields.domain.control.value = domain;
        fields.delay.control.value = single(delay);
        fields.delay.control.focus();
      };
      return [action('Change', edit, { label: domain || 'all others' })];
    },
    nameOf: ({ domain }) => `the limit of ${domain}`,
    // Without a delay the limit of a host goes; that of all others stays.
    remove: ({ domain }) => (domain ? () => ask({ setRateLimit: { domain } }) : undefined),
  });
}
