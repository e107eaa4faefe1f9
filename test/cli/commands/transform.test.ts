/** `warctap transform` from a shell: words, exit codes, settings, accesses, and the client. */
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseDotEnv } from '../../../src/cli/dot-env.ts';
import { command, runCommand, startService, Workplace } from '../../transform/support.ts';

const place = new Workplace();
const NAMES = ['serve', 'start-workers', 'run', 'make-api-access', 'remove-api-access', 'list-api-access', 'list-transformations', 'send'];

describe('usage', { concurrency: 2 }, () => {
  test('without a command all are named, with exit code 0', async () => {
    const { code, stdout, stderr } = await runCommand(place, []);
    assert.deepEqual([code, stderr], [0, '']);
    for (const name of NAMES) assert.match(stdout, new RegExp(`^  ${name}\\b`, 'm'));
  });

  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['nothing'], /^warctap: unexpected argument "nothing", see --help\n$/],
    [['remove-api-access'], /^warctap: remove-api-access: expected one UUID, usage: warctap transform remove-api-access UUID\n$/],
    [['serve', '--port', 'x'], /^warctap: --port: expected a whole number from 0 to 65535, got "x"\n$/],
    [['serve', '-h', 'x', '--nothing'], /./],
    [['send'], /^warctap: send: expected at least one file/],
    [['send', 'a.txt'], /^warctap: send: expected --transformation NAME/],
    [['send', 'a.txt', '-t', 'x'], /^warctap: send: expected the address of a service/],
    [
      ['send', 'a.txt', '-t', 'x:{', '--endpoint', 'http://127.0.0.1:1'],
      /^warctap: --transformation: expected NAME or NAME:\{"option": "value"\}/,
    ],
  ];
  for (const [args, line] of wrong.filter(([args]) => !args.includes('-h'))) {
    test(`${args.join(' ')}: exit code 2 and one line`, async () => {
      const { code, stdout, stderr } = await runCommand(place, args);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, line);
    });
  }

  test('a variable that is wrong is named', async () => {
    const { code, stderr } = await runCommand(place, ['serve'], { CIRCE_PORT: 'http' });
    assert.equal(code, 2);
    assert.match(stderr, /^warctap: CIRCE_PORT: expected a whole number/);
  });
});

describe('what is refused in the words of the reference, exit code 1', { concurrency: 2 }, () => {
  test('a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    for (const what of ['serve', 'run']) {
      const { code, stderr } = await runCommand(place, [what, '-p', String(port)]);
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`^Socket 127\\.0\\.0\\.1/${port} is not available\\. Please check your configuration\\.$`, 'm'));
    }
    server.close();
  });

  test('the web page with the key that everybody knows, in every command', async () => {
    for (const args of [['serve'], ['list-api-access'], ['list-transformations']]) {
      const { code, stderr } = await runCommand(place, args, { CIRCE_ENABLE_WEB_UI: '1' });
      assert.deepEqual(
        [code, stderr],
        [1, 'Running Web UI with the default crypt key is insecure. Please change CIRCE_WEB_UI_CRYPT_KEY.\n'],
      );
    }
  });

  test('workers in immediate mode, and a module that is not there', async () => {
    const workers = await runCommand(place, ['start-workers'], { CIRCE_IMMEDIATE_MODE: '1' });
    assert.deepEqual([workers.code, workers.stderr], [1, "Can't start workers if CIRCE_IMMEDIATE_MODE=1\n"]);
    for (const [what, module] of [
      ['run', './not-there'],
      ['list-transformations', 'not_a_package'],
    ] as const) {
      const { code, stderr } = await runCommand(place, [what], { CIRCE_TRANSFORMATIONS_MODULE: module });
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`there is no module of transformations "${module.replace('.', '\\.')}"`));
    }
  });
});

test('.env is read, the environment goes before it, and options before both', async () => {
  const here = new Workplace();
  here.write('mine.mjs', 'export function mine() {}\nmine.description = { label: "Mine", help: "é", options: [] };\n');
  writeFileSync(join(here.dir, '.env'), '# comment\nexport CIRCE_TRANSFORMATIONS_MODULE=\'mine\' # here\nCIRCE_HOST="127.0.0.2"\n');
  const { stdout } = await runCommand(here, ['list-transformations']);
  const descriptions = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual(descriptions.mine, { label: 'Mine', help: 'é', options: [] });
  assert.ok(stdout.startsWith('{\n    "donothing": {\n        "label"'), stdout);
  for (const [args, variables, address] of [
    [[], {}, '127.0.0.2'],
    [[], { CIRCE_HOST: '127.0.0.3' }, '127.0.0.3'],
    [['--host', '127.0.0.4'], { CIRCE_HOST: '127.0.0.3' }, '127.0.0.4'],
  ] as const) {
    const run = command(here, ['serve', '--port', '0', ...args], variables);
    await run.said(`listens on http://${address}:`);
    run.child.kill('SIGTERM');
    assert.equal((await run.ended).code, 0);
  }
});

test('lines of .env', () => {
  assert.deepEqual(parseDotEnv('A=1\r\n export B = two words # c\nC="a#b \\"q\\"" # c\nD=\'x\'\n#E=1\nnothing\nF=\nG=a#b\n'), {
    A: '1',
    B: 'two words',
    C: 'a#b "q"',
    D: 'x',
    F: '',
    G: 'a#b',
  });
});

test('accesses are made, listed in their order, renewed and removed; secrets stand encrypted, files are private', async () => {
  const here = new Workplace();
  const file = join(here.dir, 'credentials.json');
  const first = await runCommand(here, ['make-api-access', '-t', 'MonClientDeTest', '--out', file]);
  const [, uuid = '', secret = ''] =
    /^Access granted to MonClientDeTest\nuuid {4}: ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\nsecret: ([!-~]{32})\n$/.exec(
      first.stdout,
    ) ?? [];
  assert.notEqual(secret, '', first.stdout + first.stderr);
  const hex = uuid.replaceAll('-', '');
  assert.equal(readFileSync(file, 'utf8'), JSON.stringify({ uuid: hex, title: 'MonClientDeTest', secret, endpoint: null }, null, 4));
  await runCommand(here, ['make-api-access']);
  const { stdout } = await runCommand(here, ['list-api-access']);
  const lines = stdout.trimEnd().split('\n');
  assert.equal(lines[0], `${hex} : ${secret}  [MonClientDeTest]`);
  assert.match(lines[1] ?? '', /^[0-9a-f]{32} : [!-~]{32} {2}\[untitled app\]$/);
  assert.ok(!readFileSync(join(here.work, 'applications.json'), 'utf8').includes(secret));
  for (const path of [file, ...['applications.json', 'applications.key'].map((name) => join(here.work, name))])
    assert.equal(statSync(path).mode & 0o777, 0o600, path);
  assert.equal(statSync(here.work).mode & 0o777, 0o700);

  const renewed = await runCommand(here, ['make-api-access', '--app_uuid', uuid, '--title', 'again']);
  assert.match(renewed.stdout, new RegExp(`^Access granted to again\nuuid    : ${uuid}\nsecret: `));
  assert.ok(!renewed.stdout.includes(secret));
  const unknown = await runCommand(here, ['make-api-access', '--app-uuid', 'x']);
  assert.deepEqual([unknown.code, unknown.stderr], [1, 'No such access: x\n']);
  for (const each of [uuid, uuid, 'unknown'])
    assert.deepEqual(await runCommand(here, ['remove-api-access', each]), { code: 0, stdout: '', stderr: '' });
  assert.equal((await runCommand(here, ['list-api-access'])).stdout, `${lines[1]}\n`);
});

test('accesses that are made at the same time are all there', async () => {
  const here = new Workplace();
  await Promise.all(Array.from({ length: 4 }, (_, index) => runCommand(here, ['make-api-access', '-t', `app ${index}`])));
  const { stdout } = await runCommand(here, ['list-api-access']);
  assert.deepEqual([...stdout.matchAll(/ {2}\[(app \d)\]$/gm)].map(([, title]) => title).sort(), ['app 0', 'app 1', 'app 2', 'app 3']);
});

test('send: files go, a line says how far it is, documents come; what fails is told, with exit code 1', async () => {
  const here = new Workplace();
  here.write(
    'mine.mjs',
    `import { writeFileSync } from 'node:fs';
export function shout(dir, logger, { mark = '!' }) { writeFileSync(dir + '/out.txt', 'loud' + mark); }
export function breaks() { throw new Error('no paper left'); }
`,
  );
  const made = await runCommand(here, ['make-api-access']);
  const [, uuid = '', secret = ''] = /uuid {4}: (\S+)\nsecret: (.*)\n/.exec(made.stdout) ?? [];
  await using service = await startService(here, ['run'], { CIRCE_USE_AUTH: '1', CIRCE_TRANSFORMATIONS_MODULE: 'mine' });
  here.write('a.txt', 'a');
  const variables = { CIRCE_ENDPOINT: service.url, CIRCE_APP_UUID: uuid, CIRCE_SECRET: secret };
  const sent = await runCommand(
    here,
    ['send', 'a.txt', '--transformation', 'shout:{"mark": "?"}', '-t', 'donothing', '--out', 'results'],
    variables,
  );
  assert.deepEqual([sent.code, sent.stdout], [0, 'results/a.txt\nresults/out.txt\n'], sent.stderr);
  assert.match(sent.stderr, /^job [0-9a-f-]{36}: done$/m);
  assert.equal(readFileSync(join(here.dir, 'results/out.txt'), 'utf8'), 'loud?');
  const failed = await runCommand(here, ['send', 'a.txt', '-t', 'breaks', '-q', '--archive', 'result.tar.gz'], variables);
  assert.deepEqual(
    [failed.code, failed.stdout, failed.stderr],
    [1, 'result.tar.gz\n', 'error: Transformation breaks failed: no paper left\n'],
  );
  const stranger = await runCommand(here, ['send', 'a.txt', '-t', 'donothing'], { ...variables, CIRCE_SECRET: 'wrong' });
  assert.equal(stranger.code, 1);
  assert.match(
    stranger.stderr,
    /^warctap: http\S+ refuses the signature \(Access Denied\): expected CIRCE_APP_UUID and CIRCE_SECRET, or --credentials FILE\n$/,
  );
});
