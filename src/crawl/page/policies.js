/** Policies: the list of them, and the form of one with all of its parts. */
import { checkField, choiceField, group, linesField, numberField, textField } from './fields.js';
import { form, present } from './form.js';
import { listView } from './list-view.js';
import { cell, link, linkCell, section } from './parts.js';
import { mimeRules, proxyRules, urlRules, userAgents } from './policy-rules.js';
import { element } from '../../web/page/show.js';
import { hexOf, idOf, when } from './values.js';
import { ask } from './wire.js';

/** What a new one begins with: pages of the seeds' hosts. */
const NEW = {
  limits: { maxCost: 10 },
  mimeTypeRules: [{ pattern: '^text/', match: 'MATCHES', save: true }, { save: false }],
  proxyRules: [{}],
  robotsTxt: { usage: 'OBEY' },
  urlNormalization: { enabled: true, stripParameters: ['JSESSIONID', 'PHPSESSID', 'sid'] },
  urlRules: [
    { pattern: '^https?://({SEED_DOMAINS})/', match: 'MATCHES', action: 'ADD', amount: 1 },
    { action: 'MULTIPLY', amount: 0 },
  ],
  userAgents: [{ name: 'warctap/{VERSION} (archiving crawler)' }],
};

export async function policiesView(place) {
  await listView(place, {
    title: 'Policies',
    hint: 'What jobs may fetch, and how. A job keeps the policy as it was when it was made.',
    heads: [['Name'], ['Made (UTC)', 'wide'], ['Changed (UTC)', 'wide']],
    empty: 'There is no policy.',
    make: ['New policy', '#/policies/new'],
    list: async (page) => {
      const { listPolicies } = await ask({ listPolicies: { page } });
      return { found: listPolicies.policies ?? [], total: listPolicies.total ?? 0 };
    },
    cells: ({ policyId, name, createdAt, updatedAt }) => [
      linkCell(name, `#/policies/${hexOf(policyId)}`),
      cell(when(createdAt), 'time wide'),
      cell(when(updatedAt), 'time wide'),
    ],
    buttons: ({ policyId, name }) => [
      link('Start a job', `#/jobs/new/${hexOf(policyId)}`, { ariaLabel: `Start a job: ${name}` }),
      link('Copy', `#/policies/${hexOf(policyId)}/copy`, { ariaLabel: `Copy: ${name}` }),
    ],
    nameOf: ({ name }) => name,
    remove:
      ({ policyId }) =>
      () =>
        ask({ deletePolicy: { policyId } }),
  });
}

/** @param which hexadecimal identifier, or `new`. @param copy for a new one that begins as another is */
export async function policyView(place, which, copy) {
  const { policy } = which === 'new' ? { policy: NEW } : await ask({ getPolicy: { policyId: idOf(which) } });
  const isNew = which === 'new' || copy !== undefined;
  const given = copy === undefined ? policy : { ...policy, name: `${policy.name} (copy)` };
  const { fields, parts, read } = await policyFields(given);
  const saved = element('p', { className: 'good' });
  saved.setAttribute('role', 'status');
  const save = async () => {
    const identity = isNew ? {} : { policyId: policy.policyId };
    saved.textContent = '';
    const { newPolicy } = await ask({ setPolicy: { policy: { ...read(), ...identity } } });
    if (newPolicy === undefined) saved.textContent = 'Saved. Jobs that were made before keep what they had.';
    else location.hash = '#/policies';
  };
  const made = form({ fields, parts, button: isNew ? 'Make the policy' : 'Save', save });
  made.append(saved);
  const start = isNew ? [] : [element('p', {}, link('Start a job with it', `#/jobs/new/${which}`))];
  place.append(section(isNew ? 'New policy' : `Policy: ${policy.name}`, ...start, made));
  return undefined;
}

async function solverChoices() {
  const { listCaptchaSolvers } = await ask({ listCaptchaSolvers: { page: { limit: 1000 } } });
  return [['', 'none'], ...(listCaptchaSolvers.solvers ?? []).map(({ solverId, name }) => [hexOf(solverId), name])];
}

async function policyFields({
  name = '',
  authentication,
  captchaSolverId,
  limits = {},
  robotsTxt = {},
  urlNormalization = {},
  render,
  ...lists
}) {
  const one = {
    name: textField({ label: 'Name', value: name, says: /^Policy name/ }),
    maxCost: numberField({
      label: 'Most cost',
      value: limits.maxCost,
      hint: 'Links whose cost is above it are not followed. A seed costs 1, and a link what the URL rules make of the cost of its page.',
      says: /max.?cost/i,
    }),
    maxItems: numberField({ label: 'Most items', value: limits.maxItems, min: 0, says: /max.?items/i }),
    maxDuration: numberField({ label: 'Longest, in seconds', value: limits.maxDuration, min: 0, says: /max.?duration/i }),
    usage: choiceField({
      label: 'That of a site',
      value: robotsTxt.usage,
      options: [
        ['OBEY', 'is obeyed'],
        ['INVERT', 'is inverted: only what it forbids is fetched'],
        ['IGNORE', 'is ignored'],
      ],
      says: /^Robots\.txt/i,
    }),
    readSitemaps: checkField({ label: 'Read the sitemaps that it names', value: robotsTxt.readSitemaps }),
    obeyCrawlDelay: checkField({ label: 'Obey its crawl delay', value: robotsTxt.obeyCrawlDelay }),
    normalized: checkField({ label: 'URLs are normalized', value: urlNormalization.enabled }),
    strip: linesField({
      label: 'Parameters that are stripped from queries',
      hint: 'One a line, such as identifiers of sessions.',
      value: urlNormalization.stripParameters,
      rows: 3,
      says: /strip.?parameters/i,
    }),
    render: checkField({
      label: 'Load pages in a browser, too',
      hint: 'Scripts run, and what they ask for is archived.',
      value: render,
      says: /render|browser/i,
    }),
    authentication: checkField({ label: 'Log in to sites that have a login here', value: authentication?.enabled }),
    solver: choiceField({
      label: 'CAPTCHA solver',
      value: captchaSolverId && hexOf(captchaSolverId),
      options: await solverChoices(),
      says: /captcha/i,
    }),
  };
  const many = {
    urlRules: urlRules(lists.urlRules ?? []),
    mimeTypeRules: mimeRules(lists.mimeTypeRules ?? []),
    proxyRules: proxyRules(lists.proxyRules ?? []),
    userAgents: userAgents(lists.userAgents ?? []),
  };
  const parts = [
    one.name,
    group(
      'Limits',
      'Each may be left out: then there is none.',
      element('div', { className: 'columns' }, one.maxCost.element, one.maxItems.element, one.maxDuration.element),
    ),
    many.urlRules,
    many.mimeTypeRules,
    group('robots.txt', '', one.usage, one.readSitemaps, one.obeyCrawlDelay),
    many.userAgents,
    group('Rendering', '', one.render),
    group('URL normalization', '', one.normalized, one.strip),
    many.proxyRules,
    group('Authentication', '', one.authentication, one.solver),
  ];
  const read = () => ({
    name: one.name.read() ?? '',
    limits: present({ maxCost: one.maxCost.read(), maxItems: one.maxItems.read(), maxDuration: one.maxDuration.read() }),
    robotsTxt: present({ usage: one.usage.read(), readSitemaps: one.readSitemaps.read(), obeyCrawlDelay: one.obeyCrawlDelay.read() }),
    urlNormalization: { enabled: one.normalized.read(), stripParameters: one.strip.read() },
    authentication: { enabled: one.authentication.read() },
    render: one.render.read(),
    ...(one.solver.read() === undefined ? {} : { captchaSolverId: idOf(one.solver.read()) }),
    ...Object.fromEntries(Object.entries(many).map(([list, field]) => [list, field.read().map(present)])),
  });
  return { fields: [...Object.values(one), ...Object.values(many)], parts, read };
}
