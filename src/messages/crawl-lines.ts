/** Warnings and errors of the log that are the crawl server's. */
import type { MessageRow } from './row.ts';

export const CRAWL_LINES = {
  'passwords come in the clear from other machines: --tls-cert and --tls-key speak TLS': {
    when: 'the crawl server listens on an address that other machines reach',
    fix: 'give `--tls-cert` and `--tls-key`, put a proxy with TLS in front, or listen on loopback',
  },
  'a command failed: …': {
    when: 'a request of a client of the crawl server was answered "A server exception occurred"',
    fix: 'see the reason in the line; where it is not the disk, report it, with the line',
  },
  'schedules could not be looked at: …': {
    when: 'the database of the crawl server cannot be read',
    fix: 'make room on the disk of `--db`; it is tried again every second',
  },
  'a scheduled job did not start: …': {
    when: 'a schedule was due, and its job could not be made',
    fix: 'do as the reason says; it is tried again at the next time of the schedule',
  },
  'the items of a job cannot be read: …': {
    when: 'a stream of items was ended, as one of them cannot be read back',
    fix: 'see the reason in the line: a WARC file that is gone, or the disk; the client may go on after its last token',
  },
} as const satisfies Readonly<Record<string, MessageRow>>;
