/** Requests of a file sent again, for whoever looks for a fault: each with its time and its answer. */
import { readFile } from 'node:fs/promises';
import { ScraperClient } from './client.ts';
import { openDebugLog, type Environment } from './debug-files.ts';
import { compact } from './json-text.ts';
import { parseRequest, type Answer, type Request } from './message.ts';

export interface Replay {
  readonly file: string;
  /** types of requests that are left out */
  readonly skipped: ReadonlySet<string>;
  readonly rounds: number;
}

/** @param say a line. @throws the file system's error */
export async function replay(
  { file, skipped, rounds }: Replay,
  say: (line: string) => Promise<void>,
  environment: Environment,
): Promise<void> {
  const lines = (await readFile(file, 'utf8')).trim().split(/\r?\n/);
  await say(`replaying ${lines.length} commands`);
  for (let round = 0; round < rounds; round++) {
    const debug = openDebugLog(environment);
    const client = new ScraperClient(debug === undefined ? {} : { debug });
    for (const line of lines) {
      let request: Request;
      try {
        request = parseRequest(line);
      } catch (error) {
        await say(`error: ${error instanceof Error ? error.message : String(error)}`);
        continue;
      }
      if (skipped.has(request.type)) continue;
      const startMs = performance.now();
      const answer = await client.answer(request);
      const took = `${Math.round(performance.now() - startMs)}ms`;
      await say(`${took.padEnd(5)} IN: ${request.type.padEnd(20)} OUT: ${answer.type}: ${shown(answer)}`);
    }
  }
}

function shown({ type, content }: Answer): string {
  if (content === undefined) return '';
  return type === 'error' ? (JSON.parse(content) as string) : compact(content);
}
