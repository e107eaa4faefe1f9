/**
 * A terminal as far as the tests need it: what a person sees of the bytes that came, and a program that runs in one.
 *
 * Source: ECMA-48 §8.3.39 (ED), §8.3.117 (SGR).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { atExit } from './at-exit.ts';
import { tool } from './tools.ts';

/** The lines that stand on an endless screen of so many columns; the cursor's line is the last. Other control sequences than ours are an error. */
export function seen(bytes: string, columns: number): readonly string[] {
  const rows: string[] = [''];
  let row = 0;
  let column = 0;
  for (const [piece] of bytes.matchAll(/\x1b\[[0-9;]*[A-Za-z]|[^]/gu)) {
    if (piece === '\r') column = 0;
    else if (piece === '\n') rows[++row] ??= '';
    else if (piece === '\x1b[J') {
      rows[row] = (rows[row] ?? '').slice(0, column);
      rows.length = row + 1;
    } else if (/^\x1b\[[0-9;]*m$/.test(piece)) continue;
    else if (piece < ' ') throw new Error(`the terminal was sent ${JSON.stringify(piece)}`);
    else {
      if (column === columns) {
        rows[++row] ??= '';
        column = 0;
      }
      const text = (rows[row] ?? '').padEnd(column);
      rows[row] = text.slice(0, column) + piece + text.slice(column + 1);
      column++;
    }
  }
  return rows;
}

export interface InTerminal extends AsyncDisposable {
  /** all that was written so far */
  readonly bytes: () => string;
  /** Resolves with the part that this finds of what was written since the last that was found. */
  readonly written: (pattern: RegExp) => Promise<RegExpExecArray>;
  readonly resize: (columns: number) => void;
  readonly press: (key: 'Ctrl-C') => void;
  readonly exitCode: Promise<number | null>;
}

/** What is needed to run a program in a terminal. */
export const PSEUDO_TERMINAL = tool('python3');

/** @param command the program and its arguments */
export function runInTerminal(
  command: readonly string[],
  { columns, cwd, env }: { columns: number; cwd: string; env: NodeJS.ProcessEnv },
): InTerminal {
  const script = fileURLToPath(new URL('terminal.py', import.meta.url));
  const child = spawn(PSEUDO_TERMINAL.command, [script, String(columns), ...command], { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] });
  const kill = atExit(() => child.kill('SIGKILL'));
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const waiting = new Set<() => void>();
  let bytes = '';
  let found = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    bytes += text;
    for (const look of waiting) look();
  });
  return {
    bytes: () => bytes,
    written: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(bytes.slice(found));
          if (match === null) return;
          found += match.index + match[0].length;
          waiting.delete(look);
          resolve(match);
        };
        waiting.add(look);
        look();
        void ended.then(() => reject(new Error(`ended without ${String(pattern)}: ${JSON.stringify(bytes)}`)));
      }),
    resize: (to) => child.stdin.write(`columns ${to}\n`),
    press: () => child.stdin.write(`key ${'\x03'.charCodeAt(0)}\n`),
    exitCode: ended,
    async [Symbol.asyncDispose]() {
      kill();
      await ended;
    },
  };
}
