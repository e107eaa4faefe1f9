/**
 * `warctap scraper`, and the same by the name of `rtcv_scraper_client`.
 *
 * Its options are written as its users know them: one dash or two, the value behind a space or `=`.
 */
import { replay } from './replay.ts';
import { serve, type Streams } from './serve.ts';

const USAGE = `Usage of rtcv_scraper_client (warctap scraper):
  Without -replay: reads requests as lines of JSON, and writes an answer for each.
  -replay FILE
        send the requests of a file, such as scraper_client_input.log
  -replaySkipCommands TYPES
        types of requests that are left out, with commas
  -repeatReplay N
        how often, each time as if just started (default 1)
`;

/** Bad use; exit code 2, and its usage is shown. */
class ScraperUsageError extends Error {}

interface Flags {
  readonly help: boolean;
  readonly replay: string | undefined;
  readonly replaySkipCommands: string;
  readonly repeatReplay: number;
}

/** @returns the exit code */
export async function runScraper(args: readonly string[], streams: Streams = thisProcess()): Promise<number> {
  const { output, errors, environment } = streams;
  const complain = (text: string) => new Promise<void>((done) => errors.write(text, () => done()));
  let flags: Flags;
  try {
    flags = parseFlags(args);
  } catch (error) {
    if (!(error instanceof ScraperUsageError)) throw error;
    await complain(`${error.message}\n${USAGE}`);
    return 2;
  }
  if (flags.help) {
    await complain(USAGE);
    return 0;
  }
  if (flags.replay === undefined) return serve(streams);
  if (flags.repeatReplay <= 0) {
    await complain('repeatReplay must be greater than 0\n');
    return 1;
  }
  const skipped = new Set(flags.replaySkipCommands.split(',').map((type) => type.trim()));
  const say = (line: string) =>
    new Promise<void>((resolve, reject) => {
      output.write(`${line}\n`, (error) => (error ? reject(error) : resolve()));
    });
  output.on('error', () => undefined); // told by the write
  try {
    await replay({ file: flags.replay, skipped, rounds: flags.repeatReplay }, say, environment);
    return 0;
  } catch (error) {
    await complain(
      `rtcv_scraper_client: cannot replay ${JSON.stringify(flags.replay)}: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    return 1;
  }
}

/** Up to the first that is no option: what follows is ignored. @throws ScraperUsageError */
function parseFlags(args: readonly string[]): Flags {
  const values = new Map<string, string>();
  let help = false;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    const [, name, inline] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
    if (name === undefined) break;
    if (name === 'h' || name === 'help') {
      help = true;
      break;
    }
    if (!['replay', 'replaySkipCommands', 'repeatReplay'].includes(name)) {
      throw new ScraperUsageError(`unknown option -${name}, expected -replay, -replaySkipCommands, -repeatReplay or -h`);
    }
    const value = inline ?? args[++i];
    if (value === undefined) throw new ScraperUsageError(`option -${name} needs a value`);
    values.set(name, value);
  }
  const repeat = values.get('repeatReplay') ?? '1';
  if (!/^[+-]?[0-9]{1,15}$/.test(repeat)) {
    throw new ScraperUsageError(`option -repeatReplay: expected a whole number, got ${JSON.stringify(repeat)}`);
  }
  const file = values.get('replay');
  return {
    help,
    replay: file === '' ? undefined : file,
    replaySkipCommands: values.get('replaySkipCommands') ?? '',
    repeatReplay: Number(repeat),
  };
}

function thisProcess(): Streams {
  return { input: process.stdin, output: process.stdout, errors: process.stderr, environment: process.env };
}
