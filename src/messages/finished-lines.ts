/** Warnings and errors of the log about what is done with finished WARC files. */
import type { MessageRow } from './row.ts';

export const FINISHED_LINES = {
  '… of a finished WARC file has failed: …': {
    when: 'the command of `--on-finished`, or `--upload`: the reason stands behind. It is tried again, in pauses from 1 s to 60 s',
    fix: 'see the reason: the command itself; for an upload the server, the bucket and its room, `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`',
  },
  '… of a finished WARC file is left to the next start': {
    when: 'a command has failed five times, or the program ends before an upload has succeeded',
    fix: 'mend what the line before tells of, and start again with the same options',
  },
  'what is to be done with a finished WARC file is left to the next start: …': {
    when: 'the file cannot be read, or what was done cannot be written down in `.warctap-finished`',
    fix: 'see the reason in the line',
  },
} as const satisfies Readonly<Record<string, MessageRow>>;
