/** The lists of rules in a policy. The first rule that applies decides; the last one has no pattern, and applies to all the others. */
import { choiceField, numberField, textField } from './fields.js';
import { rowsField } from './rows-field.js';

const MATCH = [
  ['MATCHES', 'matches'],
  ['DOES_NOT_MATCH', 'does not match'],
];
const ACTIONS = [
  ['ADD', 'add'],
  ['MULTIPLY', 'multiply by'],
];
const SAVE = [
  ['true', 'save'],
  ['false', 'do not save'],
];

const patternFields = ({ pattern, match }) => ({
  match: choiceField({ label: 'Match', value: match, options: MATCH }),
  pattern: textField({ label: 'Pattern', value: pattern }),
});
const PATTERN = [
  [/^(?:Pattern|Invalid regular expression)/, 'pattern'],
  [/^Match/, 'match'],
];

/** The last of a list, if it has none, is one that says nothing. */
const split = (rules, otherwise) => ({ entries: rules.slice(0, -1), last: rules.at(-1) ?? otherwise });

export function urlRules(rules) {
  return rowsField({
    kind: 'URL rule',
    title: 'URL rules: what a link costs',
    hint: 'Patterns are regular expressions from the beginning of the URL; {SEED_DOMAINS} stands for the hosts of the seeds. The cost of a link is that of its page with the amount added, or multiplied by it; a link that costs 0 is not followed.',
    ...split(rules, { action: 'ADD', amount: 1 }),
    columns: (rule, isLast) => ({
      ...(isLast ? {} : patternFields(rule)),
      action: choiceField({ label: 'Action', value: rule.action, options: ACTIONS }),
      amount: numberField({ label: 'Amount', value: rule.amount }),
    }),
    says: /URL rule|url.?rule/i,
    about: [...PATTERN, [/^Action/, 'action'], [/^Amount/, 'amount']],
  });
}

export function mimeRules(rules) {
  const made = rowsField({
    kind: 'MIME type rule',
    title: 'MIME type rules: what is saved as an item',
    ...split(rules, { save: true }),
    columns: (rule, isLast) => ({
      ...(isLast ? {} : patternFields(rule)),
      save: choiceField({ label: 'Save', value: String(rule.save ?? true), options: SAVE }),
    }),
    says: /MIME type rule|mime.?type.?rule/i,
    about: [...PATTERN, [/^Save/, 'save']],
  });
  return { ...made, read: () => made.read().map((rule) => ({ ...rule, save: rule.save === 'true' })) };
}

export function proxyRules(rules) {
  return rowsField({
    kind: 'proxy rule',
    title: 'Proxy rules: by which proxy a URL is fetched',
    hint: 'Without a proxy it is fetched directly. Schemes are http, https, socks4, socks4a and socks5.',
    ...split(rules, {}),
    columns: (rule, isLast) => ({
      ...(isLast ? {} : patternFields(rule)),
      proxyUrl: textField({ label: 'Proxy', value: rule.proxyUrl, placeholder: isLast ? 'none' : 'socks5://127.0.0.1:9050' }),
    }),
    says: /proxy.?rule/i,
    about: [...PATTERN, [/^(?:Proxy URL|Must have a valid URL)/, 'proxyUrl']],
  });
}

export function userAgents(agents) {
  return rowsField({
    kind: 'user agent',
    title: 'User agents',
    hint: 'One of them is taken for each request. {VERSION} stands for the version of the server. Say how to reach you.',
    entries: agents,
    columns: ({ name }) => ({ name: textField({ label: 'Name', value: name }) }),
    says: /user.?agent/i,
    about: [[/^Name/, 'name']],
    ordered: false,
  });
}
