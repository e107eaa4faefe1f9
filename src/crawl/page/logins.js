/** Logins to sites: the list of them, and the form of one with its users. */
import { checkField, textField } from './fields.js';
import { form, present } from './form.js';
import { listView } from './list-view.js';
import { cell, linkCell, section } from './parts.js';
import { rowsField } from './rows-field.js';
import { number } from '../../web/page/show.js';
import { ask } from './wire.js';

export async function loginsView(place) {
  await listView(place, {
    title: 'Logins',
    hint: 'Accounts at sites, for jobs whose policy logs in. Passwords are encrypted in the database.',
    heads: [['Host'], ['Login page'], ['Users', 'number']],
    empty: 'There is no login.',
    make: ['New login', '#/logins/new'],
    list: async (page) => {
      const { listDomainLogins } = await ask({ listDomainLogins: { page } });
      return { found: listDomainLogins.logins ?? [], total: listDomainLogins.total ?? 0 };
    },
    cells: ({ domain, loginUrl = '', users = [] }) => [
      linkCell(domain, `#/logins/of/${encodeURIComponent(domain)}`),
      cell(loginUrl, 'url'),
      cell(number(users.length), 'number'),
    ],
    nameOf: ({ domain }) => `the login of ${domain}`,
    remove:
      ({ domain }) =>
      () =>
        ask({ deleteDomainLogin: { domain } }),
  });
}

/** @param which `new`, or `of` a host */
export async function loginView(place, which, host) {
  const isNew = which === 'new';
  const { domainLogin: login } = isNew ? { domainLogin: {} } : await ask({ getDomainLogin: { domain: decodeURIComponent(host) } });
  const fields = {
    domain: textField({ label: 'Host', value: login.domain, placeholder: 'example.com', says: /^domain/i }),
    loginUrl: textField({ label: 'Login page', hint: 'The URL of the page with the form.', value: login.loginUrl, says: /login_?url/i }),
    loginTest: textField({
      label: 'Test page',
      hint: 'A URL that tells whether somebody is logged in; may be left out.',
      value: login.loginTest,
      says: /login_?test/i,
    }),
    users: rowsField({
      kind: 'user',
      title: 'Users',
      hint: 'One that works is taken by chance.',
      entries: login.users ?? [],
      columns: ({ username, password, working = true }) => ({
        username: textField({ label: 'Name', value: username }),
        password: textField({ label: 'Password', type: 'password', value: password }),
        working: checkField({ label: 'Works', value: working }),
      }),
      says: /users?/i,
      about: [],
      ordered: false,
    }),
  };
  // It is the name of the login: another one would be another login.
  fields.domain.control.readOnly = !isNew;
  const save = async () => {
    const { domain, loginUrl, loginTest, users } = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.read()]));
    const kept = isNew ? {} : { loginUrl: '', loginTest: '' };
    await ask({ setDomainLogin: { login: { ...kept, ...present({ domain, loginUrl, loginTest }), users: users.map(present) } } });
    location.hash = '#/logins';
  };
  const all = Object.values(fields);
  place.append(section(isNew ? 'New login' : `Login: ${login.domain}`, form({ fields: all, parts: all, button: 'Save', save })));
  return undefined;
}
