/** Containerfile and the unit for systemd name only what there is: files, options, values; and what they ask of the program works. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { hashPassword } from '../src/auth/password-hash.ts';
import { buildProgram } from '../src/cli/build.ts';
import { DEFAULT_COMMAND } from '../src/cli/commands/list.ts';
import { EXIT } from '../src/cli/exit.ts';
import { readOption, resolveOptions } from '../src/options/resolve.ts';
import { namesIn, variableOf } from '../src/options/row.ts';
import { PROXY_OPTIONS } from '../src/options/table.ts';
import { found, read, ROOT } from './support/docs.ts';
import { startProxy } from './support/proxy.ts';
import { findTool } from './support/tools.ts';

const run = promisify(execFile);

describe('Containerfile', () => {
  const instructions = read('Containerfile')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '');
  const all = (word: string) => found(instructions.join('\n'), new RegExp(`^${word} (.*)$`, 'gm'));
  const [last] = instructions.map((line, index) => (line.startsWith('FROM ') ? index : -1)).sort((a, b) => b - a);
  const environment = Object.fromEntries(
    all('ENV').flatMap((line) => [...line.matchAll(/(\S+?)=(\S+)/g)].map(([, name = '', value = '']) => [name, value])),
  );

  test('copies what is there, and .containerignore lets all of it through', () => {
    const fromCheckout = all('COPY').filter((line) => !line.startsWith('--from='));
    const copied = fromCheckout.flatMap((line) => line.split(' ').slice(0, -1));
    assert.ok(copied.length > 5);
    const [first, ...let_through] = read('.containerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    assert.equal(first, '*');
    for (const path of copied) assert.ok(existsSync(join(ROOT, path)), path);
    assert.deepEqual(let_through.map((line) => line.replace(/^!/, '')).sort(), copied.sort());
    // What the second stage takes: made by the first, or copied there.
    const taken = all('COPY').flatMap((line) => found(line, /^--from=build \/build\/(\S+)/g));
    assert.deepEqual(taken.sort(), ['bin', 'dist', 'node_modules', 'package.json']);
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const script of all('RUN').flatMap((line) => found(line, /npm run (\w+)/g))) assert.ok(Object.hasOwn(scripts, script), script);
  });

  test('its image is not run by root, keeps everything in its volume, and listens where other machines reach it', () => {
    const final = instructions.slice(last).join('\n');
    assert.match(final, /^USER node$/m);
    assert.match(final, /^ENTRYPOINT \["node", "\/app\/bin\/warctap\.js"\]$/m);
    assert.match(final, /^VOLUME \["\/data"\]$/m);
    const names = namesIn(PROXY_OPTIONS);
    const given = Object.entries(environment).filter(([name]) => name.startsWith('WARCTAP_'));
    const options = Object.fromEntries(
      given.map(([variable, value]) => {
        const name = names.find((each) => variableOf(each) === variable);
        assert.ok(name !== undefined, variable);
        return [name, readOption(PROXY_OPTIONS, name, value)];
      }),
    );
    const resolved = resolveOptions(options);
    assert.equal(resolved.address, '0.0.0.0');
    assert.deepEqual(all('EXPOSE'), [String(resolved.port)]);
    const { dir, cacert, certsDir, dedupDbFile, statsDbFile } = resolved;
    for (const path of [dir, cacert, certsDir, dedupDbFile, statsDbFile]) assert.match(String(path), /^\/data\//);
  });

  test('its health check is content with a proxy that runs, asks for a log-in or not, and with nothing else', async (t) => {
    const [, command = ''] = /CMD (\[.*\])$/.exec(all('HEALTHCHECK')[0] ?? '') ?? [];
    const [node, ...args] = JSON.parse(command) as string[];
    assert.equal(node, 'node');
    const check = (port: number) => run(process.execPath, args, { env: { WARCTAP_PORT: String(port) } });
    const users = join(mkdtempSync(join(tmpdir(), 'warctap-health-')), 'users');
    t.after(() => rmSync(dirname(users), { recursive: true }));
    writeFileSync(users, `alice:${await hashPassword('secret')}\n`, { mode: 0o600 });
    let port = 0;
    for (const options of [{}, { proxyAuthFile: users }]) {
      await using proxy = await startProxy(options);
      ({ port } = proxy);
      await check(port);
    }
    await assert.rejects(check(port), { code: 1 });
  });
});

describe('examples/systemd/warctap.service', () => {
  const unit = read('examples/systemd/warctap.service');
  const [start = ''] = found(unit, /^ExecStart=(.*)$/gm);

  test('starts the program with options that it has, and reloads and restarts by what that does', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'warctap-unit-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const [program, ...args] = start.split(' ').map((word) => word.replace('/etc/warctap', folder));
    assert.equal(program, 'warctap');
    writeFileSync(join(folder, 'warctap.yaml'), 'gzip: true\n');
    let gathered: object = {};
    const root = {
      ...DEFAULT_COMMAND,
      run: async (call: { settings: () => Promise<{ given: object }> }) => ((gathered = (await call.settings()).given), 0),
    };
    await buildProgram({ root, commands: [], version: '1', environment: {}, ended: () => undefined }).parseAsync(args, { from: 'user' });
    assert.deepEqual(gathered, { gzip: true });
    assert.match(unit, /^ExecReload=kill -USR2 \$MAINPID$/m);
    assert.match(unit, new RegExp(`^RestartPreventExitStatus=${EXIT.usage.code}$`, 'm'));
  });

  const analyze = findTool({
    commands: ['systemd-analyze'],
    ask: ['--version'],
    says: /^systemd 2[5-9]\d/m,
    needs: 'systemd-analyze 250 or newer',
  });
  test('systemd finds nothing wrong with it, and it is well locked up', { skip: analyze.skip }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'warctap-unit-'));
    t.after(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, 'home'));
    const file = join(folder, 'warctap.service');
    writeFileSync(file, unit.replace('ExecStart=warctap', `ExecStart=${process.execPath}`));
    const env = { PATH: process.env.PATH, HOME: join(folder, 'home') };
    const { stdout, stderr } = await run(analyze.command, ['verify', '--man=no', file], { env });
    assert.equal(
      `${stdout}${stderr}`
        .split('\n')
        .filter((line) => line.includes('warctap.service'))
        .join('\n'),
      '',
    );
    // Ten times the exposure that it tells, from 0 to 100.
    await run(analyze.command, ['security', '--offline=true', '--threshold=25', file], { env });
  });
});
