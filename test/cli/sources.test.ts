import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gather } from '../../src/cli/gather.ts';
import { resolveOptions } from '../../src/options/resolve.ts';
import { PROXY_OPTIONS } from '../../src/options/table.ts';
import { optionsOf, runToEnd, start } from './child.ts';

let folder: string;
before(async () => (folder = await mkdtemp(join(tmpdir(), 'warctap-sources-'))));
after(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

/** Of every type of value one option: default, file, environment, flag. */
const SOURCES: [
  option: string,
  byDefault: unknown,
  inFile: [string, unknown],
  inEnvironment: [string, unknown],
  asFlag: [string[], unknown],
][] = [
  ['port', 8000, ['port: 1', 1], ['2', 2], [['-p', '3'], 3]],
  ['socketTimeout', 60, ['socket-timeout: 1.5', 1.5], ['2.5', 2.5], [['--socket-timeout', '3.5'], 3.5]],
  ['gzip', false, ['gzip: true', true], ['no', false], [['-z'], true]],
  ['noWarcOpenSuffix', false, ['no-warc-open-suffix: yes', true], ['0', false], [['--no-warc-open-suffix'], true]],
  ['prefix', 'WARCPROX', ['prefix: 0012', '0012'], ['two', 'two'], [['-n', '-'], '-']],
  ['warcVersion', '1.1', ['warc-version: 1.0', '1.0'], ['1.1', '1.1'], [['--warc-version=1.0'], '1.0']],
  [
    'socksProxy',
    undefined,
    ['socks-proxy: a:1', { host: 'a', port: 1 }],
    ['[::1]:2', { host: '::1', port: 2 }],
    [['--socks-proxy', 'c:3'], { host: 'c', port: 3 }],
  ],
  [
    'methodFilter',
    [],
    ['method-filter: [get, POST]', ['GET', 'POST']],
    ['put, delete', ['PUT', 'DELETE']],
    [
      ['--method-filter', 'HEAD', '--method-filter', 'GET'],
      ['HEAD', 'GET'],
    ],
  ],
  ['maxResourceSize', undefined, ['max-resource-size: 7', 7], ['0', undefined], [['--max-resource-size', '9'], 9]],
  ['dir', './warcs', ['dir: /a b', '/a b'], ['b', 'b'], [['-d', 'c'], 'c']],
];

test('a flag goes before the environment, the environment before the file, the file before the default', async () => {
  const config = await file('all.yaml', SOURCES.map(([, , [line]]) => `${line}\n`).join(''));
  const env = Object.fromEntries(
    SOURCES.map(([name, , , [text]]) => [`WARCTAP_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`, text] as const),
  );
  const flags = SOURCES.flatMap(([, , , , [args]]) => args);
  const [byDefault, inFile, inEnvironment, asFlag] = await Promise.all([
    optionsOf([]),
    optionsOf(['--config', config]),
    optionsOf([], { env: { ...env, WARCTAP_CONFIG: config } }),
    optionsOf(['--config', config, ...flags], { env }),
  ]);
  for (const [name, ...values] of SOURCES) {
    assert.deepEqual(byDefault[name], values[0], `${name} by default`);
    assert.deepEqual(inFile[name], values[1][1], `${name} in the file`);
    assert.deepEqual(inEnvironment[name], values[2][1], `${name} in the environment`);
    assert.deepEqual(asFlag[name], values[3][1], `${name} as a flag`);
  }
});

test('a flag takes back a switch that the environment or the file has turned on', async () => {
  const config = await file('on.yaml', 'via: true\nno-warc-open-suffix: true\n');
  const options = await optionsOf(['--no-gzip', '--no-via', '--warc-open-suffix', '--config', config], { env: { WARCTAP_GZIP: '1' } });
  assert.deepEqual([options.gzip, options.via, options.noWarcOpenSuffix], [false, false, false]);
});

test('an empty variable counts as not set', async () => {
  assert.deepEqual((await gather(PROXY_OPTIONS, {}, { WARCTAP_PORT: '', WARCTAP_GZIP: '' })).given, {});
});

test('a variable that names no option is logged without its value', async () => {
  const program = start([], { env: { WARCTAP_SOCKS_PASSWORD: 'hunter2' } });
  const line = await program.line('names no option');
  program.child.kill('SIGTERM');
  const { stdout, stderr } = await program.ended;
  assert.match(line, /WARCTAP_SOCKS_PASSWORD/);
  assert.doesNotMatch(stdout + stderr, /hunter2/);
});

test('the log level comes from the first source that sets one', async () => {
  const level = async (flags: Record<string, unknown>, env: Record<string, string>) => (await gather(PROXY_OPTIONS, flags, env)).logLevel;
  assert.equal(await level({}, {}), 'info');
  assert.equal(await level({ quiet: true }, { WARCTAP_TRACE: '1' }), 'warn');
  assert.equal(await level({ quiet: true, trace: true, verbose: true }, {}), 'trace');
  assert.equal(await level({}, { WARCTAP_VERBOSE: 'yes' }), 'verbose');
  assert.equal(await level({ verbose: false }, { WARCTAP_VERBOSE: 'yes' }), 'info');
});

describe('the config file', () => {
  const read = async (name: string, text: string) => (await gather(PROXY_OPTIONS, { config: await file(name, text) }, {})).given;

  test('may be JSON', async () => {
    const text = JSON.stringify({ port: 1, gzip: true, 'method-filter': ['GET'], 'socks-proxy': '[::1]:9', 'socket-timeout': 1.5 });
    assert.deepEqual(await read('a.json', text), {
      port: 1,
      gzip: true,
      methodFilter: ['GET'],
      socksProxy: { host: '::1', port: 9 },
      socketTimeout: 1.5,
    });
  });

  test('may be YAML with comments, lists in lines, quotes and a byte order mark', async () => {
    assert.deepEqual(await read('b.yaml', '\uFEFF# mine\nport: "1"\nmethod-filter:\n  - GET\n  - put\n'), {
      port: 1,
      methodFilter: ['GET', 'PUT'],
    });
  });

  test('may hold a list as text with commas', async () => {
    assert.deepEqual(await read('c.yaml', 'method-filter: GET, put\n'), { methodFilter: ['GET', 'PUT'] });
  });

  test('may be empty', async () => assert.deepEqual(await read('d.yaml', '# nothing\n'), {}));

  const refused: [name: string, text: string, line: RegExp][] = [
    ['unknown.yaml', 'prot: 1\n', /unknown\.yaml: unknown option "prot", the nearest known one is port$/],
    ['camel.yaml', 'maxThreads: 1\n', /camel\.yaml: unknown option "maxThreads", the nearest known one is max-threads$/],
    ['config.yaml', 'config: x\n', /config\.yaml: unknown option "config"/],
    ['value.yaml', 'port: x\n', /^port in FOLDER\/value\.yaml \(--port\): expected a whole number from 0 to 65535, got "x"$/],
    ['null.yaml', 'port:\n', /^port in FOLDER\/null\.yaml \(--port\): expected .*, got ""$/],
    ['deep.yaml', 'port: {a: 1}\n', /^port in FOLDER\/deep\.yaml \(--port\): expected .*, got \{"a":"1"\}$/],
    [
      'list.yaml',
      '- port\n',
      /^--config: expected a YAML or JSON file of options, got "FOLDER\/list\.yaml" \(it holds no "name: value" lines\)$/,
    ],
    ['text.yaml', 'port\n', /it holds no "name: value" lines\)$/],
    ['twice.yaml', 'port: 1\nport: 2\n', /\(line 2, column 1: duplicate key\)$/],
    [
      'broken.yaml',
      'socks-proxy-password: "hunter2\n',
      /^--config: expected a YAML or JSON file of options, got "FOLDER\/broken\.yaml" \(line \d+, column \d+: [a-z ]+\)$/,
    ],
    ['alias.yaml', 'socks-proxy-password: *hunter2\n', /^--config: expected [^\n]*alias/],
    [
      'broken.json',
      '{"port": 1',
      /^--config: expected a YAML or JSON file of options, got "FOLDER\/broken\.json" \(line 1, column \d+: [a-z ]+\)$/,
    ],
    [
      'secret.yaml',
      'socks-proxy-password: [hunter2]\n',
      /^socks-proxy-password in FOLDER\/secret\.yaml \(--socks-proxy-password\): expected .* \(not shown: secret\)$/,
    ],
  ];
  for (const [name, text, line] of refused) {
    test(`is refused: ${name}`, async () => {
      await assert.rejects(read(name, text), (error) => {
        assert.ok(error instanceof Error);
        assert.match(error.message.replaceAll(folder, 'FOLDER'), line);
        assert.doesNotMatch(error.message, /hunter2/);
        return true;
      });
    });
  }

  test('that cannot be read or understood ends the program with exit code 2 and one line', async () => {
    const broken = await file('broken-program.yaml', 'a: [\n');
    const [missing, folderItself, unparsable] = await Promise.all(
      [join(folder, 'nope.yaml'), folder, broken].map((path) => runToEnd(['--config', path])),
    );
    for (const ended of [missing, folderItself, unparsable]) {
      assert.equal(ended?.code, 2);
      assert.match(ended.stderr, /^warctap: --config: expected [^\n]*\n$/);
    }
    assert.match(missing!.stderr, /nope\.yaml" \(ENOENT/);
  });
});

test('a database is switched off by /dev/null, from wherever that comes', async () => {
  const off = { dedupDbFile: '/dev/null', statsDbFile: '' };
  for (const given of [
    (await gather(PROXY_OPTIONS, off, {})).given,
    (await gather(PROXY_OPTIONS, off, { WARCTAP_DEDUP_DB_FILE: 'y' })).given,
    (await gather(PROXY_OPTIONS, { statsDbFile: '' }, { WARCTAP_DEDUP_DB_FILE: '/dev/null' })).given,
    off,
  ]) {
    const { dedupDbFile, statsDbFile } = resolveOptions(given);
    assert.deepEqual({ dedupDbFile, statsDbFile }, { dedupDbFile: false, statsDbFile: false });
  }
});
