/**
 * What the runner knows of a proxy: how it is installed, started, and where it records.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Start } from '../processes.ts';

/** An interpreter that the peers' packages support. */
export const PYTHON = process.env.BENCH_PYTHON ?? 'python3';

export interface StartOptions {
  /** an empty folder, the proxy's own */
  readonly dir: string;
  readonly port: number;
  readonly originPort: number;
  readonly gzip: boolean;
  readonly http2: boolean;
  /** processes with its traffic; 0: as it likes */
  readonly workers: number | 'auto';
  /** Unix socket of a Valkey or Redis that it uses */
  readonly store: string | undefined;
  /** names below `localhost` that have to resolve */
  readonly hosts: readonly string[];
}

export interface Peer {
  readonly name: string;
  /** where it writes WARC files, below its folder; nothing for a proxy that does not record */
  readonly warcs?: string;
  /** whether it writes request records, and a revisit for every payload that it has written before */
  readonly deduplicates?: boolean;
  /** compresses whatever it is told, and so has no part in workloads without gzip */
  readonly alwaysGzip?: boolean;
  /** so many duplicates may be written as originals because they were under way together; one by default */
  readonly originalsAtMost?: number;
  /** file below the folder of installations that is there when it is installed; always there when absent */
  readonly installedFile?: string;
  /** commands, run in its folder of installations */
  readonly install?: readonly (readonly string[])[];
  start(options: StartOptions): Start;
}

/** A file in the folder that a peer is installed into. */
export function installed(name: string, file: string): string {
  return resolve('tmp/bench', name, file);
}

export function isInstalled({ name, installedFile }: Peer): boolean {
  return installedFile === undefined || existsSync(installed(name, installedFile));
}

/** @throws when one of its commands fails */
export function installPeer({ name, install = [] }: Peer): void {
  const cwd = installed(name, '');
  mkdirSync(cwd, { recursive: true });
  for (const [command = '', ...args] of install) execFileSync(command, args, { cwd, stdio: 'inherit' });
}
