/**
 * Other people's validators of WARC files: `warcio check` (Python) and `jwarc validate` (Java).
 *
 * Looked for in WARCTAP_WARCIO (command) and WARCTAP_JWARC (jar), then in the folder that `install.sh` fills (WARCTAP_INTEROP, else
 * tmp/interop); those of Python then on PATH. A test that needs one that is missing is skipped and says so.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { findTool, tool, type Tool } from '../support/tools.ts';

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

const INSTALL = 'sh test/interop/install.sh';
const folder = process.env.WARCTAP_INTEROP ?? join(import.meta.dirname, '../../tmp/interop');

export function warcio(): Validator {
  // The package for Node, which npm puts on PATH for its scripts, says its number only.
  const found = findTool({
    commands: [process.env.WARCTAP_WARCIO, join(folder, 'venv/bin/warcio'), 'warcio'],
    ask: ['--version'],
    says: /^warcio \d/m,
    needs: `Python's warcio (${INSTALL})`,
  });
  return validator("Python's warcio", found, ['check', '-v'], /failed|exception|unknown|skipping/i);
}

export function jwarc(): Validator {
  const jar = [process.env.WARCTAP_JWARC, join(folder, 'jwarc.jar')].find((path) => path !== undefined && existsSync(path));
  // It prints what is wrong with WARC headers, but does not let that decide its exit code. Extensions are not forbidden (`--forbid-extensions`):
  // WARC-Protocol and WARC-Cipher-Suite are some, and what it says of them comes in pieces of lines.
  return validator('jwarc', javaFor(jar), ['-jar', jar ?? '', 'validate', '-v'], /ERROR|exception/i);
}

/** A program of Python's that `install.sh` has put there, or that is on PATH. */
export function fromVenv(name: string, ask: readonly string[], says: RegExp): Tool {
  return findTool({ commands: [join(folder, 'venv/bin', name), name], ask, says, needs: `Python's ${name} (${INSTALL})` });
}

function javaFor(jar: string | undefined): Tool {
  const needs = `jwarc (${INSTALL})`;
  if (jar === undefined) return { command: '', skip: `needs ${needs}` };
  const java = tool('java');
  return java.skip === false ? findTool({ commands: [java.command], ask: ['-jar', jar, '--version'], says: /^jwarc \d/m, needs }) : java;
}

/** All of them find nothing to complain of; one that is not installed is named in the output of the test. */
export function assertAcceptedByOthers(t: TestContext, files: readonly string[]): void {
  for (const { name, skip, check } of [warcio(), jwarc()]) {
    if (skip === false) assert.deepEqual(check(...files), { accepted: true, complaints: [] }, name);
    t.diagnostic(skip === false ? `accepted by ${name}` : skip);
  }
}

function validator(name: string, { command, skip }: Tool, args: readonly string[], complaint: RegExp): Validator {
  return {
    name,
    skip,
    check: (...files) => {
      const { status, stdout, stderr } = spawnSync(command, [...args, ...files], { encoding: 'utf8', maxBuffer: 512 * 1024 * 1024 });
      const complaints = `${stdout}\n${stderr}`.split('\n').flatMap((line) => (complaint.test(line) ? [line.trim()] : []));
      return { accepted: status === 0, complaints };
    },
  };
}
