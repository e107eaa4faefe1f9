/** CAPTCHA solvers: the list of them, and the form of one. The API has one kind, Antigate. */
import { checkField, choiceField, group, numberField, textField } from './fields.js';
import { form, present } from './form.js';
import { listView } from './list-view.js';
import { cell, linkCell, section } from './parts.js';
import { element } from '../../web/page/show.js';
import { hexOf, idOf, when } from './values.js';
import { ask } from './wire.js';

const CHARACTERS = [
  ['ALPHANUMERIC', 'letters and digits'],
  ['NUMBERS_ONLY', 'digits'],
  ['ALPHA_ONLY', 'letters'],
];

export async function solversView(place) {
  await listView(place, {
    title: 'CAPTCHA solvers',
    hint: 'Services that read the picture of a login form. A policy says which one its jobs ask.',
    heads: [['Name'], ['Service'], ['Changed (UTC)', 'wide']],
    empty: 'There is no CAPTCHA solver.',
    make: ['New solver', '#/solvers/new'],
    list: async (page) => {
      const { listCaptchaSolvers } = await ask({ listCaptchaSolvers: { page } });
      return { found: listCaptchaSolvers.solvers ?? [], total: listCaptchaSolvers.total ?? 0 };
    },
    cells: ({ solverId, name, antigate = {}, updatedAt }) => [
      linkCell(name, `#/solvers/${hexOf(solverId)}`),
      cell(antigate.serviceUrl ?? '', 'url'),
      cell(when(updatedAt), 'time wide'),
    ],
    nameOf: ({ name }) => name,
    remove:
      ({ solverId }) =>
      () =>
        ask({ deleteCaptchaSolver: { solverId } }),
  });
}

/** @param which hexadecimal identifier, or `new` */
export async function solverView(place, which) {
  const isNew = which === 'new';
  const { solver } = isNew ? { solver: {} } : await ask({ getCaptchaSolver: { solverId: idOf(which) } });
  const { antigate = {} } = solver;
  const name = textField({ label: 'Name', value: solver.name, says: /^Name/ });
  const fields = {
    serviceUrl: textField({ label: 'Service URL', value: antigate.serviceUrl, placeholder: 'https://…', says: /service.?url/i }),
    apiKey: textField({ label: 'API key', type: 'password', value: antigate.apiKey, says: /api.?key/i }),
    characters: choiceField({ label: 'Characters', value: antigate.characters, options: CHARACTERS, says: /characters/i }),
    minLength: numberField({ label: 'At least', hint: 'characters', value: antigate.minLength, min: 0, says: /min.?length/i }),
    maxLength: numberField({ label: 'At most', hint: 'characters', value: antigate.maxLength, min: 0, says: /max.?length/i }),
    requirePhrase: checkField({ label: 'More than one word', value: antigate.requirePhrase }),
    caseSensitive: checkField({ label: 'Upper and lower case differ', value: antigate.caseSensitive }),
    requireMath: checkField({ label: 'A sum that is to be worked out', value: antigate.requireMath }),
  };
  const save = async () => {
    const values = present(Object.fromEntries(Object.entries(fields).map(([each, field]) => [each, field.read()])));
    const identity = isNew ? {} : { solverId: solver.solverId };
    await ask({ setCaptchaSolver: { solver: { ...identity, name: name.read() ?? '', antigate: values } } });
    location.hash = '#/solvers';
  };
  const { serviceUrl, apiKey, characters, minLength, maxLength, ...flags } = fields;
  const reading = group(
    'What it is told of the picture',
    '',
    element('div', { className: 'columns' }, characters.element, minLength.element, maxLength.element),
    ...Object.values(flags),
  );
  const made = form({
    fields: [name, ...Object.values(fields)],
    parts: [name, serviceUrl, apiKey, reading],
    button: isNew ? 'Make the solver' : 'Save',
    save,
  });
  place.append(section(isNew ? 'New CAPTCHA solver' : `CAPTCHA solver: ${solver.name}`, made));
  return undefined;
}
