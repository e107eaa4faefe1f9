/** What is written for whoever looks for a fault, into the current folder and for its owner alone: both hold keys or names. */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';

const INPUT_FILE = 'scraper_client_input.log';
const LOG_FILE = 'scraper_client.log';
const OWNER_ONLY = 0o600;

export type Environment = Readonly<Record<string, string | undefined>>;

/** Whether a variable switches something on: `1`, `t` or `true`, any case. */
function isOn(value: string | undefined): boolean {
  return /^(1|t|true)$/i.test(value ?? '');
}

/** Every line that came in, synced: keys in clear. @throws when the file cannot be opened */
export function openInputLog({ LOG_SCRAPER_CLIENT_INPUT: wanted }: Environment): ((line: string) => void) | undefined {
  if (!isOn(wanted)) return undefined;
  const file = openSync(INPUT_FILE, 'a', OWNER_ONLY);
  return (line) => {
    writeSync(file, `${line}\n`);
    fsyncSync(file);
  };
}

export interface DebugLog {
  authenticated(references: readonly string[]): void;
  lookedUp(reference: string, known: boolean): void;
}

/** What cannot be written is left out. */
export function openDebugLog({ ENABLE_SCRAPER_CLIENT_LOG: wanted }: Environment): DebugLog | undefined {
  if (!isOn(wanted)) return undefined;
  const write = (line: string) => {
    try {
      const file = openSync(LOG_FILE, 'a', OWNER_ONLY);
      try {
        writeSync(file, `${line}\n`);
      } finally {
        closeSync(file);
      }
    } catch {
      // the scraper goes on
    }
  };
  return {
    authenticated: (references) => write(`[${references.join(' ')}]`),
    lookedUp: (reference, known) => write(`has_cached_reference ${reference} > ${known}`),
  };
}
