#!/usr/bin/env node
/**
 * Launcher: checks the Node version, says how V8 manages memory, widens the thread pool, and hands over to the program in dist/.
 *
 * A CommonJS file (see package.json beside it): Node reads an ES module's entry file with the thread pool, whose size is fixed from then on.
 */
/* global __dirname, require */
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`warctap: needs Node 20.19 or newer, this is ${process.versions.node}\n`);
  process.exitCode = 1;
} else {
  keepYoungGenerationSmall();
  // Name look-ups, file writes and compression share these threads; look-ups may hold half of them for seconds.
  if (!process.env.UV_THREADPOOL_SIZE) process.env.UV_THREADPOOL_SIZE = '32';
  // Bodies pass as buffers outside the heap, and these have it marked many times a second: on another thread that takes a fifth of the
  // processor time of a 10 MB body, in steps on this one next to nothing.
  require('node:v8').setFlagsFromString('--no-concurrent-marking');
  // What survives at a few places of the program would be made among the old at once, and have all that it points to survive, too: under load
  // whatever belongs to a request, so that collecting garbage took twice as long.
  require('node:v8').setFlagsFromString('--no-allocation-site-pretenuring');
  import('../dist/cli/main.js').catch((error) => {
    const folder = __dirname.replace(/.bin$/, '');
    const { existsSync } = require('node:fs');
    const built = existsSync(`${folder}/dist/cli/main.js`);
    // "npm ci --ignore-scripts" installs and does not build.
    const step = built || !existsSync(`${folder}/node_modules`) ? 'not installed yet, run "npm ci"' : 'not built yet, run "npm run build"';
    process.stderr.write(`warctap: ${error.code === 'ERR_MODULE_NOT_FOUND' ? `${step} in ${folder}` : error.message}\n`);
    process.exitCode = 1;
  });
}

/** From Node 24 on the young generation is twice as large: 100 MB more memory, longer pauses, and no time saved. It is set as a process begins. */
function keepYoungGenerationSmall() {
  const isSet = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((option) => /max[-_]semi[-_]space[-_]size/.test(option));
  if (major < 24 || isSet || process.platform === 'win32' || process.channel) return;
  const argv = [process.execPath, '--max-semi-space-size=16', ...process.execArgv, ...process.argv.slice(1)];
  process.execve(process.execPath, argv, process.env);
}
