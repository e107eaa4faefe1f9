/**
 * Runs the test files with Node's own runner, TypeScript by tsx.
 *
 * `npm test` runs all; `npm test -- http1 warc` only files whose path contains one of the words. What begins with `--` is for Node's
 * runner: `npm test -- --test-reporter=dot`.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';

const flags = process.argv.slice(2).filter((arg) => arg.startsWith('--'));
const words = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const files = readdirSync('test', { recursive: true })
  .map((name) => `test/${String(name)}`)
  .filter((name) => name.endsWith('.test.ts') && (words.length === 0 || words.some((word) => name.includes(word))))
  .sort();
if (files.length === 0) {
  console.error(`no test file matches ${JSON.stringify(words)}`);
  process.exit(1);
}
const usual = ['--import', 'tsx', '--test', '--test-concurrency=2', '--test-timeout=240000'];
const runner = spawn(process.execPath, [...usual, ...flags, ...files], { stdio: 'inherit' });
runner.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
