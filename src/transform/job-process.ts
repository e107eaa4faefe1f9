/**
 * Entry point of the process that runs the transformations of one job, one after the other. Started by job-run.ts.
 *
 * Tells how far it is by a file, so that nobody has to be there to hear it.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { reasonOf } from '../util/thrown.ts';
import type { Step } from './job-file.ts';
import type { Hex } from './job-id.ts';
import type { StateRecord } from './job-store.ts';
import { loadTransformations } from './modules.ts';
import { OutLog } from './out-log.ts';
import type { Transformation } from './transformation.ts';
import { answerOnce } from './with-parent.ts';

export interface JobTask {
  readonly hex: Hex;
  readonly dir: string;
  readonly transformations: readonly Step[];
  readonly modules: readonly string[];
  readonly cwd: string;
  readonly stateFile: string;
  /** ISO 8601 */
  readonly started: string;
}

/** `failed`: what the first one that failed has said, which is in the log already. */
export interface JobAnswer {
  readonly failed?: string;
}

/** So often a new number of lines is told. */
const TELL_MS = 500;

answerOnce(async ({ hex, dir, transformations, modules, cwd, stateFile, started }: JobTask): Promise<JobAnswer> => {
  let current: string | undefined;
  let toldMs = -Infinity;
  const tell = (lines: number, always = false) => {
    if (!always && performance.now() - toldMs < TELL_MS) return;
    toldMs = performance.now();
    const state: StateRecord = { transformation: current, started, lines };
    try {
      writeFileSync(`${stateFile}.tmp`, JSON.stringify(state), { mode: 0o600 });
      renameSync(`${stateFile}.tmp`, stateFile);
    } catch {
      // On a full disk nobody hears how far it is; that is no reason to fail.
    }
  };
  let lines = 0;
  const log = new OutLog(dir, hex, (count) => tell((lines = count)));
  try {
    const known = await loadTransformations(modules, cwd);
    for (const { name, options } of transformations) {
      current = name;
      const transformation = known.get(name);
      if (transformation === undefined) {
        log.own('WARNING', `No such transformation: ${name}`);
        continue;
      }
      log.own('INFO', `Executing transformation ${name}`);
      tell(lines, true);
      await call(transformation, dir, log, options);
    }
    log.touch();
    tell(lines, true);
    return {};
  } catch (error) {
    const failed = reasonOf(error);
    log.own('ERROR', current === undefined ? failed : `Transformation ${current} failed: ${failed}`);
    tell(lines, true);
    return { failed };
  }
});

async function call(transformation: Transformation, dir: string, log: OutLog, options: Step['options']): Promise<void> {
  const logger = {
    debug: (message: string | object) => log.debug(message),
    info: (message: string | object) => log.info(message),
    warning: (message: string | object) => log.warning(message),
    error: (message: string | object) => log.error(message),
  };
  const given = { ...options };
  if (isClass(transformation)) Reflect.construct(transformation, [dir, logger, given]);
  else await transformation(dir, logger, given);
}

function isClass(value: Transformation): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}
