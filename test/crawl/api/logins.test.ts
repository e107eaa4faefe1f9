/** Logins to sites, and CAPTCHA solvers: what clients see, and what stands on the disk. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CaptchaSolverAntigateCharacters as Characters } from '../../../src/crawl/proto/starbelly_pb.ts';
import { goodPolicy } from '../support/policies.ts';
import { crawlServer, newFolder } from '../support/server.ts';

const get = (domain: string) => ({ case: 'getDomainLogin', value: { domain } }) as const;
const set = (login: object) => ({ case: 'setDomainLogin', value: { login } }) as const;

test('logins: what is absent stays, users are replaced, passwords come back in clear and stand on no disk', async (t) => {
  const folder = newFolder(t);
  const { program, client } = await crawlServer(t, undefined, { folder });
  const asking = await client();
  assert.equal(await asking.refused({ case: 'setDomainLogin', value: {} }), 'domain is required.');
  assert.equal(await asking.refused(set({ domain: 'a.example' })), 'login_url is required to create a domain login.');
  assert.equal(await asking.refused(get('a.example')), 'No domain credentials found for domain=a.example');
  const users = [
    { username: 'jo', password: 'correct horse', working: true },
    { username: 'al', password: 'battery staple' },
  ];
  await asking.done(set({ domain: 'a.example', loginUrl: 'https://a.example/in', loginTest: 'in', users }));
  await asking.done(set({ domain: 'b.example', loginUrl: 'https://b.example/' }));
  await asking.done(set({ domain: 'a.example', loginTest: 'out', users: users.slice(0, 1) }));
  await asking.close();
  await program.close();

  for (const name of readdirSync(join(folder, 'db/database')))
    assert.ok(!readFileSync(join(folder, 'db/database', name)).includes('correct horse'), name);
  const again = await (await crawlServer(t, undefined, { folder })).client();
  const login = await again.get(get('a.example'), 'domainLogin');
  assert.deepEqual([login.loginUrl, login.loginTest], ['https://a.example/in', 'out']);
  assert.deepEqual(
    login.users.map(({ username, password, working }) => [username, password, working]),
    [['jo', 'correct horse', true]],
  );
  const { logins, total } = await again.get({ case: 'listDomainLogins', value: {} }, 'listDomainLogins');
  assert.deepEqual([total, ...logins.map(({ domain }) => domain)], [2, 'a.example', 'b.example']);
  for (let times = 0; times < 2; times++) await again.done({ case: 'deleteDomainLogin', value: { domain: 'a.example' } });
  assert.equal(await again.refused({ case: 'deleteDomainLogin', value: {} }), 'domain is required.');
  assert.equal(await again.refused(get('a.example')), 'No domain credentials found for domain=a.example');
});

test('solvers: made, changed one at a time, and kept for as long as a policy needs one', async (t) => {
  const { client } = await crawlServer(t);
  const asking = await client();
  const type = {
    case: 'antigate',
    value: { serviceUrl: 'https://s.example/', apiKey: 'key', characters: Characters.NUMBERS_ONLY },
  } as const;
  assert.equal(await asking.refused({ case: 'setCaptchaSolver', value: { solver: { SolverType: type } } }), 'Name is required.');
  assert.equal(await asking.refused({ case: 'setCaptchaSolver', value: { solver: { name: 'a' } } }), 'Unknown CAPTCHA solver type (None)');
  const make = (name: string) => asking.get({ case: 'setCaptchaSolver', value: { solver: { name, SolverType: type } } }, 'newSolver');
  const [{ solverId }, { solverId: other }] = [await make('b'), await make('a')];
  await asking.done({ case: 'setCaptchaSolver', value: { solver: { solverId, name: 'c', SolverType: type } } });
  const { solvers } = await asking.get({ case: 'listCaptchaSolvers', value: {} }, 'listCaptchaSolvers');
  assert.deepEqual(
    solvers.map(({ name, SolverType: { value } }) => [name, value?.apiKey]),
    [
      ['a', 'key'],
      ['c', 'key'],
    ],
  );
  const { policyId } = await asking.get({ case: 'setPolicy', value: { policy: goodPolicy({ captchaSolverId: solverId }) } }, 'newPolicy');
  const remove = { case: 'deleteCaptchaSolver', value: { solverId } } as const;
  assert.equal(await asking.refused(remove), 'Cannot delete CAPTCHA solver because it is being used by a policy.');
  await asking.done({ case: 'deleteCaptchaSolver', value: { solverId: other } });
  await asking.done({ case: 'deletePolicy', value: { policyId } });
  await asking.done(remove);
  assert.equal(await asking.refused({ case: 'getCaptchaSolver', value: { solverId } }), 'No CAPTCHA solver found for that ID');
});
