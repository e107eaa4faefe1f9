import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** Prints the thread pool's number of threads, once all of them are there. */
const COUNTS_THREADS = `
import { pbkdf2Sync, pbkdf2 } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
const count = () => readdirSync('/proc/self/task').length;
const before = count();
await new Promise((done) => pbkdf2('a', 'b', 1, 8, 'sha1', done));
console.log(JSON.stringify({ args: process.argv.slice(2), size: process.env.UV_THREADPOOL_SIZE, threads: count() }));
`;

describe('bin/warctap.js', () => {
  let installed: string;
  let bare: string;
  before(() => {
    const bin = fileURLToPath(new URL('../../bin', import.meta.url));
    [installed = '', bare = ''] = ['installed', 'bare'].map((name) => {
      const folder = mkdtempSync(join(tmpdir(), `warctap-${name}-`));
      cpSync(bin, join(folder, 'bin'), { recursive: true });
      return folder;
    });
    mkdirSync(join(installed, 'dist/cli'), { recursive: true });
    writeFileSync(join(installed, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(installed, 'dist/cli/main.js'), COUNTS_THREADS);
    symlinkSync(join(installed, 'bin/warctap.js'), join(installed, 'link'));
  });
  after(() => [installed, bare].forEach((folder) => rmSync(folder, { recursive: true })));

  const launch = (file: string, args: string[] = [], env: Record<string, string> = {}) => {
    // The file asks for `node`, which is to be the one that runs the tests: there may be another on PATH, or none.
    const inherited: NodeJS.ProcessEnv = { ...process.env, PATH: [dirname(process.execPath), process.env.PATH].join(delimiter) };
    delete inherited.UV_THREADPOOL_SIZE;
    const { pid, status, stdout, stderr } = spawnSync(file, args, { cwd: tmpdir(), env: { ...inherited, ...env }, encoding: 'utf8' });
    return { pid, status, stdout, stderr };
  };

  const said = ({ status, stdout, stderr }: ReturnType<typeof launch>) => ({ status, stdout, stderr });

  test('is executable, also by a symbolic link and from another folder, and hands on its arguments', () => {
    for (const file of ['bin/warctap.js', 'link']) {
      const { status, stdout } = launch(join(installed, file), ['--port', '1']);
      assert.equal(status, 0);
      assert.deepEqual((JSON.parse(stdout) as { args: unknown }).args, ['--port', '1']);
    }
  });

  test(
    'widens the thread pool before anything uses it, unless the user did',
    { skip: process.platform !== 'linux' && 'counts threads in /proc' },
    () => {
      const threads = (env?: Record<string, string>) =>
        JSON.parse(launch(join(installed, 'bin/warctap.js'), [], env).stdout) as { size: string; threads: number };
      const few = threads({ UV_THREADPOOL_SIZE: '4' });
      const many = threads();
      assert.equal(few.size, '4');
      assert.equal(many.size, '32');
      assert.equal(many.threads - few.threads, 28);
    },
  );

  test('keeps the young generation as small as Node 20 and 22 do, unless the user has set it, in the same process', () => {
    writeFileSync(
      join(installed, 'dist/cli/main.js'),
      `import { getHeapSpaceStatistics } from 'node:v8';
       globalThis.kept = [];
       for (let nth = 0; nth < 1_000_000; nth++) kept.push({ nth });
       const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
       console.log(JSON.stringify({ pid: process.pid, args: process.argv.slice(2), young: young.space_size }));`,
    );
    const MIB = 1024 * 1024;
    const launched = (env?: Record<string, string>) => {
      const child = launch(join(installed, 'bin/warctap.js'), ['--port', '1'], env);
      assert.equal(child.stderr, '');
      const { pid, args, young } = JSON.parse(child.stdout) as { pid: number; args: unknown; young: number };
      assert.deepEqual([pid, args], [child.pid, ['--port', '1']]);
      return young / MIB;
    };
    const [usual, set] = [launched(), launched({ NODE_OPTIONS: '--max-semi-space-size=64' })];
    assert.ok(usual > 16 && usual < 40, `${usual} MiB`);
    assert.ok(set > 40, `${set} MiB`);
  });

  test('says in one line that it is not installed yet', () => {
    assert.deepEqual(said(launch(join(bare, 'bin/warctap.js'))), {
      status: 1,
      stdout: '',
      stderr: `warctap: not installed yet, run "npm ci" in ${bare}\n`,
    });
  });

  test('says in one line that it is installed and not built, or built and a package is missing', () => {
    mkdirSync(join(bare, 'node_modules'));
    const { stderr, status } = launch(join(bare, 'bin/warctap.js'));
    assert.deepEqual([status, stderr], [1, `warctap: not built yet, run "npm run build" in ${bare}\n`]);
    mkdirSync(join(bare, 'dist/cli'), { recursive: true });
    writeFileSync(join(bare, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(bare, 'dist/cli/main.js'), `import 'commander';`);
    assert.equal(launch(join(bare, 'bin/warctap.js')).stderr, `warctap: not installed yet, run "npm ci" in ${bare}\n`);
  });

  test('says in one line that Node is too old', () => {
    const old = `data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.18.1' } })`;
    assert.deepEqual(said(launch(process.execPath, ['--import', old, join(installed, 'bin/warctap.js')])), {
      status: 1,
      stdout: '',
      stderr: 'warctap: needs Node 20.19 or newer, this is 20.18.1\n',
    });
  });
});
