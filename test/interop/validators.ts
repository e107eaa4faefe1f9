/**
 * Other people's validators of WARC files: `warcio check` (Python) and `jwarc validate` (Java).
 *
 * Looked for in WARCTAP_WARCIO (command) and WARCTAP_JWARC (jar), then in the folder that `install.sh` fills (WARCTAP_INTEROP, else
 * tmp/interop), then on PATH. A test that needs one that is missing is skipped and says so.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export interface Validator {
  readonly name: string;
  /** why it cannot be used, for the `skip` option of a test */
  readonly skip: string | false;
  /** Check them all in one run: starting it takes longer than most files. */
  readonly check: (...files: readonly string[]) => Verdict;
}

export interface Verdict {
  /** by its exit code */
  readonly accepted: boolean;
  /** what it complains of, in the order of the records */
  readonly complaints: readonly string[];
}

const folder = process.env.WARCTAP_INTEROP ?? join(import.meta.dirname, '../../tmp/interop');

export function warcio(): Validator {
  const command = firstThatRuns([process.env.WARCTAP_WARCIO, join(folder, 'venv/bin/warcio'), 'warcio'], ['--version']);
  return validator("Python's warcio", command, ['check', '-v'], /failed|exception|unknown|skipping/i);
}

export function jwarc(): Validator {
  const jar = [process.env.WARCTAP_JWARC, join(folder, 'jwarc.jar')].find((path) => path !== undefined && existsSync(path));
  const command = jar === undefined ? undefined : firstThatRuns(['java'], ['-jar', jar, '--version']);
  // It prints what is wrong with WARC headers, but does not let that decide its exit code.
  return validator('jwarc', command, ['-jar', jar ?? '', 'validate', '--forbid-extensions', '-v'], /ERROR|exception/i);
}

/** All of them find nothing to complain of; one that is not installed is named in the output of the test. */
export function assertAcceptedByOthers(t: TestContext, files: readonly string[]): void {
  for (const { name, skip, check } of [warcio(), jwarc()]) {
    if (skip === false) assert.deepEqual(check(...files), { accepted: true, complaints: [] }, name);
    t.diagnostic(skip === false ? `accepted by ${name}` : skip);
  }
}

function validator(name: string, command: string | undefined, args: readonly string[], complaint: RegExp): Validator {
  return {
    name,
    skip: command === undefined && `${name} is not installed; test/interop/install.sh does it`,
    check: (...files) => {
      const { status, stdout, stderr } = spawnSync(command ?? '', [...args, ...files], { encoding: 'utf8', maxBuffer: 512 * 1024 * 1024 });
      const complaints = `${stdout}\n${stderr}`.split('\n').flatMap((line) => (complaint.test(line) ? [line.trim()] : []));
      return { accepted: status === 0, complaints };
    },
  };
}

function firstThatRuns(commands: readonly (string | undefined)[], args: readonly string[]): string | undefined {
  return commands.find((command) => command !== undefined && spawnSync(command, args).status === 0);
}
