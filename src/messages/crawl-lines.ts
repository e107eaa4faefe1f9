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
  'a page could not be stored: …': {
    when: 'the database of the crawl server cannot be written; the page is fetched again when its job goes on',
    fix: 'make room on the disk of `--db`, or mend it, and start the server again',
  },
  'the frontier of a job cannot be read: …': {
    when: 'the database of the crawl server cannot be read; the job is paused',
    fix: 'see the reason in the line; mend the disk of `--db`, and let the job go on',
  },
  'all crawl jobs are paused: …': {
    when: 'nothing can be fetched or stored for now, as when a disk has too little room',
    fix: 'do as the reason says, and let the jobs go on',
  },
  'a crawl job: …': {
    when: 'something about a job failed that no client waits for',
    fix: 'see the reason in the line; where it is not the disk, report it, with the line',
  },
  'pages are not rendered: …': {
    when: 'a policy says `render`, and there is no browser, or it does not start; the job goes on with pages as they came',
    fix: 'do as the reason says: install playwright-core and a browser, or name one with `--browser`; resume or start the job again',
  },
  'a WARC file of a deleted job is still kept: …': {
    when: 'the second name of a WARC file, beside the database, could not be taken away',
    fix: 'delete it in `kept-warcs` in the folder of `--db`',
  },
  'WARC files of jobs cannot be kept when they are moved away: no links from … to … (…)': {
    when: 'the folders of `--dir` and `--db` are on different file systems, or theirs has no hard links',
    fix: 'put both on one, or leave WARC files where they are for as long as clients read their items',
  },
} as const satisfies Readonly<Record<string, MessageRow>>;
