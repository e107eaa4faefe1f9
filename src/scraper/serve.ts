/** The helper as a child process: lines in, one answer for each, in order. */
import { ScraperClient } from './client.ts';
import { openDebugLog, openInputLog, type Environment } from './debug-files.ts';
import { linesOf } from './lines.ts';
import { errorAnswer, lineOf, parseRequest, type Answer } from './message.ts';

/** How long a signal waits for the answer to a request in progress. */
const GRACE_MS = 5_000;

const EXIT_OF_SIGNAL = [
  ['SIGTERM', 0],
  ['SIGINT', 130],
] as const;

export interface Streams {
  readonly input: AsyncIterable<Uint8Array>;
  readonly output: NodeJS.WritableStream;
  readonly errors: NodeJS.WritableStream;
  readonly environment: Environment;
}

/** @returns the exit code: of a clean end 0, 1 when input or output fail */
export async function serve({ input, output, environment }: Streams): Promise<number> {
  let busy = false;
  let code: number | undefined;
  /** of the signal that came, if one did */
  const codeOfSignal = () => code;
  const stopped = new Promise<number>((end) => {
    output.on('error', () => end(1));
    for (const [signal, its] of EXIT_OF_SIGNAL) {
      process.on(signal, () => {
        code = its;
        if (busy) setTimeout(end, GRACE_MS, its).unref();
        else end(its);
      });
    }
  });

  const say = (answer: Answer) =>
    new Promise<void>((resolve) => {
      // One that fails is told by the stream's own event.
      output.write(lineOf(answer), (error) => {
        if (!error) resolve();
      });
    });
  const answerAll = async (): Promise<number> => {
    await say({ type: 'ready', content: '"waiting for credentials"' });
    let logInput: ((line: string) => void) | undefined;
    try {
      logInput = openInputLog(environment);
    } catch (error) {
      await say(errorAnswer(`the input cannot be logged: ${error instanceof Error ? error.message : String(error)}`));
      return 1;
    }
    const debug = openDebugLog(environment);
    const client = new ScraperClient(debug === undefined ? {} : { debug });
    for await (const line of linesOf(input)) {
      busy = true;
      if (line !== undefined) logInput?.(line.trim());
      await say(await answerTo(client, line));
      busy = false;
      const ended = codeOfSignal();
      if (ended !== undefined) return ended;
    }
    return 0;
  };
  return Promise.race([stopped, answerAll().catch(() => 1)]);
}

/** @param line undefined for one that is too long */
export async function answerTo(client: ScraperClient, line: string | undefined): Promise<Answer> {
  try {
    return await client.answer(parseRequest(line));
  } catch (error) {
    return errorAnswer(error instanceof Error ? error.message : String(error));
  }
}
