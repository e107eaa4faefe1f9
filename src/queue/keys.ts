/**
 * How the database of a queue is laid out: every key is made here. Values are JSON.
 *
 * | key                                | value        | for                                                              |
 * | ---------------------------------- | ------------ | ---------------------------------------------------------------- |
 * | `u/ID`                             | UrlRecord    | what is known of a URL; those of a host stand together           |
 * | `H/HOST`                           | HostRecord   | its queues, and how many of its URLs are out                     |
 * | `h/HOST/RANK/NUMBER`               | ID           | what waits: found by its number, so that nobody has to look      |
 * | `n/RANK/TIME/SEQUENCE/HOST`        | 0            | hosts with work that may go out, first come first                |
 * | `l/TIME/ID`                        | worker       | leases, by their end                                             |
 * | `d/TIME/ID`                        | 0            | visited URLs, by when they are due again                         |
 * | `t/SEQUENCE`                       | ID           | new links, oldest first                                          |
 * | `s/DAY/WORKER`, `S/WORKER`         | WorkerCounts | accepted reports of a day, and of all time                       |
 * | `v/WORKER/HOST/DAY`, `V/WORKER/HOST` | 0          | hosts that a worker has reported of                              |
 * | `m/DAY`                            | milliseconds | how long the manager ran                                         |
 * | `k/NAME`                           | KeyRecord    | keys of workers                                                  |
 * | `c/…`                              |              | counts, what is held back, the salt of keys                      |
 *
 * Numbers stand in base 36 with leading zeros, so that they sort; worker names percent-encoded, so that none holds a slash.
 */

const TIME_DIGITS = 9;
const SEQUENCE_DIGITS = 10;
const RANK_DIGITS = 3;
/** Behind every character that stands in a key: they are all ASCII. */
export const LAST = '\uffff';

export const key = {
  url: (id: string) => `u/${id}`,
  host: (host: string) => `H/${host}`,
  waiting: (host: string, rank: number, number: number) => `h/${host}/${rankText(rank)}/${base36(number, SEQUENCE_DIGITS)}`,
  next: (rank: number, ms: number, sequence: number, host: string) =>
    `n/${rankText(rank)}/${timeText(ms)}/${base36(sequence, SEQUENCE_DIGITS)}/${host}`,
  nextFrom: (rank: number, ms: number) => `n/${rankText(rank)}/${timeText(ms)}`,
  nextEnd: (rank: number) => `n/${rankText(rank)}/${LAST}`,
  lease: (ms: number, id: string) => `l/${timeText(ms)}/${id}`,
  leaseFrom: (ms: number) => `l/${timeText(ms)}`,
  due: (ms: number, id: string) => `d/${timeText(ms)}/${id}`,
  dueFrom: (ms: number) => `d/${timeText(ms)}`,
  listed: (sequence: number) => `t/${base36(sequence, SEQUENCE_DIGITS)}`,
  day: (day: string, worker: string) => `s/${day}/${nameText(worker)}`,
  total: (worker: string) => `S/${nameText(worker)}`,
  siteDay: (worker: string, host: string, day: string) => `v/${nameText(worker)}/${host}/${day}`,
  site: (worker: string, host: string) => `V/${nameText(worker)}/${host}`,
  ran: (day: string) => `m/${day}`,
  worker: (name: string) => `k/${nameText(name)}`,
  counts: 'c/counts',
  control: 'c/control',
  salt: 'c/salt',
} as const;

/** What a key of `n`, `l` or `d` says. */
export function hostOfNext(text: string): string {
  return text.slice(text.lastIndexOf('/') + 1);
}

/** Of a key of `l` or `d`. */
export function timeAndId(text: string): { readonly ms: number; readonly id: string } {
  const [, time = '', ...id] = text.split('/');
  return { ms: parseInt(time, 36), id: id.join('/') };
}

function timeText(ms: number): string {
  return base36(Math.max(0, ms), TIME_DIGITS);
}

function rankText(rank: number): string {
  return String(rank).padStart(RANK_DIGITS, '0');
}

function base36(number: number, digits: number): string {
  return number.toString(36).padStart(digits, '0');
}

/** A worker's name as a part of a key. */
export function nameText(name: string): string {
  return encodeURIComponent(name);
}
