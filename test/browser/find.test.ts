/** Browsers are found where their packages put them, and what is missing is said with what was looked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NoBrowserError } from '../../src/browser/errors.ts';
import { chooseBrowser, findBrowser, type BrowserKind } from '../../src/browser/find.ts';

const machine = (platform: string, env: Record<string, string>, there: readonly string[]) => ({
  platform,
  env,
  isProgram: (file: string) => Promise.resolve(there.includes(file)),
});

test('the browser of a machine is found by the names and places of its packages', async () => {
  const find = (...args: Parameters<typeof machine>) => findBrowser(machine(...args));
  assert.equal(await find('linux', { PATH: '/a:/b c' }, ['/b c/google-chrome', '/a/microsoft-edge']), '/b c/google-chrome');
  assert.equal(await find('linux', {}, ['/usr/bin/chromium']), undefined);
  const chrome = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';
  assert.equal(await find('darwin', { PATH: '/bin' }, [chrome]), chrome);
  const edge = 'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe';
  assert.equal(await find('win32', { PATH: '', 'PROGRAMFILES(X86)': 'C:\\Program Files (x86)' }, [edge]), edge);
});

const ALL = ['/bin/chromium-browser', '/bin/google-chrome', '/bin/microsoft-edge', '/bin/firefox-esr', '/opt/my-firefox', '/bin/brave'];
const choose = (wanted: string | undefined, there: readonly string[] = ALL, kinds?: readonly BrowserKind[]) =>
  chooseBrowser(wanted, kinds, machine('linux', { PATH: '/usr/bin:/bin' }, there));

test('one that is asked for is that one, by its name or by its path', async () => {
  assert.deepEqual(await choose(undefined), { kind: 'chromium', executable: '/bin/chromium-browser' });
  assert.deepEqual(await choose('chrome'), { kind: 'chromium', executable: '/bin/google-chrome' });
  assert.deepEqual(await choose('edge'), { kind: 'chromium', executable: '/bin/microsoft-edge' });
  assert.deepEqual(await choose('firefox'), { kind: 'firefox', executable: '/bin/firefox-esr' });
  assert.deepEqual(await choose('/opt/my-firefox'), { kind: 'firefox', executable: '/opt/my-firefox' });
  assert.deepEqual(await choose('brave'), { kind: 'chromium', executable: '/bin/brave' });
  assert.deepEqual(await choose(undefined, ['/bin/firefox-esr']), { kind: 'firefox', executable: '/bin/firefox-esr' });
});

test('where there is none it is said what was looked for, and how it is come by', async () => {
  const refused = async (start: Promise<unknown>, message: RegExp) => {
    await assert.rejects(start, (error) => error instanceof NoBrowserError && message.test(error.message) && !error.message.includes('\n'));
  };
  await refused(choose(undefined, []), /looked for chromium, .*google-chrome, .*firefox-esr on PATH; .*apt install chromium.*--browser/);
  await refused(choose('firefox', []), /looked for firefox, firefox-esr on PATH; install it \(apt install firefox\)/);
  await refused(choose('/nowhere/x', []), /there is no program \/nowhere\/x: expected chromium, chrome, edge, firefox, or the path/);
  await refused(choose('firefox', ALL, ['chromium']), /^firefox cannot do this: expected one of chromium, chrome, edge/);
  await refused(choose('/opt/my-firefox', ALL, ['chromium']), /cannot do this: expected a Chromium/);
  await refused(
    chooseBrowser('edge', undefined, machine('win32', { PROGRAMFILES: 'C:\\P' }, [])),
    /Microsoft\\Edge\\Application\\msedge\.exe below/,
  );
});
