/**
 * How many files and sockets the system lets this process have open at once.
 *
 * Node has raised it as far as it may when this is asked: the soft limit to the hard one.
 * Source: getrlimit(2), RLIMIT_NOFILE; proc(5), /proc/pid/limits.
 */
import { readFileSync } from 'node:fs';

/** @returns undefined where there is no limit, or none that can be asked for */
export function openFilesLimit(): number | undefined {
  const limit = process.platform === 'linux' ? ofProc() : ofReport();
  return limit !== undefined && Number.isSafeInteger(limit) ? limit : undefined;
}

function ofProc(): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return ofReport();
  }
}

/** Elsewhere Node's diagnostic report has it. It takes some milliseconds. */
function ofReport(): number | undefined {
  const report = process.report.getReport() as { readonly userLimits?: { readonly open_files?: { readonly soft?: number | string } } };
  const soft = report.userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : undefined;
}
