/** The package as `npm pack` makes it: what is in it, and that it works where it is installed. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { found, read, ROOT } from './support/docs.ts';
import { lacksRegistry, newcomerIn, PAGE } from './support/newcomer.ts';
import { tool } from './support/tools.ts';

const skip = tool('npm').skip || tool('npx').skip || tool('curl').skip || (!existsSync(join(ROOT, 'dist')) && 'needs npm run build');

test('what is built imports only what is built', { skip: !existsSync(join(ROOT, 'dist')) && 'needs npm run build' }, () => {
  const dist = join(ROOT, 'dist');
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
  assert.ok(files.length > 100);
  for (const name of files) {
    const text = readFileSync(join(dist, name), 'utf8');
    for (const [, specifier = ''] of text.matchAll(/(?:\bfrom|\bimport\(|^import)\s*['"](\.\.?\/[^'"]+)['"]/gm))
      assert.ok(existsSync(join(dist, dirname(name), specifier)), `${name}: ${specifier}`);
  }
});

test('npm pack, installed elsewhere: npx warctap archives, and a program can import it', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'warctap-package-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  // It was built by `npm test`, and others use it at the moment: so it is not built anew here.
  const packer = await newcomerIn(t, ROOT);
  const [packed] = JSON.parse(await packer.type(`npm pack --ignore-scripts --json --pack-destination '${folder}'`)) as [
    { filename: string; files: { path: string }[] },
  ];
  const files = packed.files.map(({ path }) => path);
  assert.deepEqual(files.filter((path) => !/^(bin|dist|docs|examples)\//.test(path)).sort(), [
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'LICENSE',
    'README.md',
    'certs/README.md',
    'package.json',
  ]);
  assert.deepEqual(
    files.filter((path) => path.endsWith('.map') || /\.test\.|(?<!\.d)\.ts$/.test(path.replace(/^examples\/.*/, ''))),
    [],
  );
  for (const path of files.filter((each) => each.endsWith('.md')))
    for (const link of found(read(path), /\]\((?!https?:)([^)#\s]+)/g)) {
      const target = normalize(join(dirname(path), link)).replace(/\/$/, '');
      assert.ok(
        files.some((each) => each === target || each.startsWith(`${target}/`)),
        `${path}: ${link}`,
      );
    }

  const newcomer = await newcomerIn(t, folder);
  try {
    await newcomer.type(`npm install ./${packed.filename}`);
  } catch (error) {
    if (lacksRegistry(error)) return t.skip('needs the registry of npm, or its packages in the cache');
    throw error;
  }
  const { version, man } = JSON.parse(read('package.json')) as { version: string; man: string[] };
  assert.deepEqual(
    man.filter((path) => !files.includes(path)),
    [],
  );
  assert.equal(man.length, 1);
  assert.equal(await newcomer.type('npx warctap --version'), `${version}\n`);
  for (const name of ['append', 'crawl', 'get-jobs', 'report'])
    assert.match(await newcomer.type(`npx heroshi-${name} --help`), new RegExp(`warctap queue ${name}`));
  assert.match(await newcomer.type('npx heroshid --help'), /warctap queue serve/);
  assert.match(await newcomer.type('npx heroshid --version'), /\d+\.\d+\.\d+\n$/);
  const { line, stop } = await newcomer.keepRunning('npx warctap --gzip', /listens on/);
  const proxy = /http:\S+/.exec(line)?.[0] ?? '';
  assert.equal(await newcomer.type(`curl --silent --proxy ${proxy} --cacert certs/*-warcprox-ca.pem https://example.com/`), PAGE);
  await stop();
  const [warc = ''] = readdirSync(join(folder, 'warcs'));
  assert.match(warc, /\.warc\.gz$/);
  assert.match(await newcomer.type(`npx warctap verify warcs/${warc}`), /: ok, 5 records, /);
  assert.equal(await newcomer.type(`node -e "import('warctap').then((it) => console.log(typeof it.createProxy))"`), 'function\n');
  assert.ok(!readFileSync(join(folder, 'node_modules/warctap/dist/index.js'), 'utf8').includes('sourceMappingURL'));
});

test('npm ci, npm pack and an install from git build it, and npm has nothing of ours to warn of', () => {
  const { scripts, allowScripts } = JSON.parse(read('package.json')) as {
    scripts: Record<string, string>;
    allowScripts: Record<string, boolean>;
  };
  // What npm runs of its own when a package is installed from git or a file, and so warns of; the one behind it is only run in a checkout.
  for (const hook of ['preinstall', 'install', 'postinstall', 'prepare']) assert.equal(scripts[hook], undefined, hook);
  for (const hook of ['postprepare', 'prepack']) assert.equal(scripts[hook], 'npm run build');
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { hasInstallScript?: boolean; optional?: boolean }>;
  };
  const withScripts = Object.entries(packages).filter(
    ([, { hasInstallScript, optional }]) => hasInstallScript === true && optional !== true,
  );
  assert.deepEqual(withScripts.map(([path]) => path.replace(/^.*node_modules\//, '')).sort(), Object.keys(allowScripts).sort());
});
