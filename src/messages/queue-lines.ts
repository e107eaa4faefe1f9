/** Warnings and errors of the log that are the queue's and its workers'. */
import { REPORT, type MessageRow } from './row.ts';

export const QUEUE_LINES = {
  'waiting for the manager: …': {
    when: 'a worker of a queue starts, and its manager does not answer',
    fix: 'start the manager, or say with `--manager` where it listens',
  },
  'nothing to fetch for now: …': {
    when: 'the manager of a queue does not answer while its worker runs',
    fix: 'nothing if it is being started again; the worker goes on asking',
  },
  'reports wait: …': {
    when: 'the manager of a queue cannot take reports for now',
    fix: 'nothing: they stand in the file of `--outbox` and are sent when it is back',
  },
  'reports wait in memory only, their file cannot be written: …': {
    when: 'the folder of `--outbox` is full, or may not be written to, while the manager of a queue is away',
    fix: 'see the reason in the line; reports that wait are lost when the worker is killed before it is mended',
  },
  'a report was dropped: …': { when: 'the manager of a queue does not understand a report', fix: REPORT },
  'URLs could not be given back, their leases end by themselves: …': {
    when: 'a worker of a queue stops while its manager does not answer',
    fix: 'nothing: others get them after `--lease-seconds`',
  },
  'keys come in the clear from other machines: --tls-cert and --tls-key speak HTTPS': {
    when: 'the manager of a queue listens on an address that other machines reach',
    fix: 'give `--tls-cert` and `--tls-key`, or listen on loopback',
  },
  'this key is weak: it has less than 16 characters': { when: 'a key of a queue could be guessed', fix: 'give another, longer one' },
  'a call of the queue failed: …': {
    when: 'a call of the API was answered 500, or 503 when the database failed',
    fix: 'see the reason in the line; of 500 report it, with the line',
  },
  'the time that workers were active waits: …': {
    when: 'the database of a queue cannot be written',
    fix: 'make room on the disk of `--db`; it is written later',
  },
  'leases and visits that are over wait: …': {
    when: 'the database of a queue cannot be written',
    fix: 'make room on the disk of `--db`; it is tried again every second',
  },
} as const satisfies Readonly<Record<string, MessageRow>>;
