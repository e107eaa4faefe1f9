/** Errors that end a command, or that createProxy and createCore throw: by their `code`. */
import type { MessageRow } from './row.ts';

export const ENDS = {
  WARCTAP_OPTION: {
    when: 'the value of an option will not do: a flag, a variable, a line of the config file, or what a program has given',
    fix: 'give what the line expects; `option` of the error names which one',
    says: ['…: expected …, got …', '…: expected …, got something else (not shown: secret)'],
  },
  WARCTAP_USAGE: {
    when: 'the command line, or the config file as a whole, is not understood',
    fix: 'do as the line says; `warctap --help` and, say, `warctap help verify` show what there is',
    says: ['unknown option ……, see --help', 'option … takes no value (to take it back: --no-…)'],
  },
  CA_INVALID: {
    when: 'the CA file holds no usable authority, or others than its owner may write to it',
    fix: 'name the right file with `--cacert`, or move it away to have a new authority made, which clients then have to trust',
  },
  CA_IO: { when: 'the CA file cannot be read or made', fix: 'give this user leave to, or name another file with `--cacert`' },
  CA_MISSING: {
    when: '`warctap ca export` finds no authority, and makes none',
    fix: 'start the proxy once, run it in the folder the proxy was started in, or name the same `--cacert`',
  },
  OPEN_FILES: {
    when: 'the system lets this process have so few files and sockets open that not one request could be served',
    fix: 'raise the limit: `ulimit -n`, or `LimitNOFILE` of systemd',
  },
  NO_BROWSER: {
    when: '`warctap browse` or `archive` needs a browser, and there is none, or it cannot be started',
    fix: 'do as the message says: install one, name one with `--browser`, or, for `warctap archive`, do without (`--no-browser`)',
  },
  WARC_OPTION: {
    when: 'WARC files, or the temporary files behind them, cannot be written where they should',
    fix: 'name a folder that this user can write to with `--dir` or `TMPDIR`',
  },
  WARC_WRITE: {
    when: 'a WARC file cannot be written any more: the proxy stops with exit code 3 (`fatal` in a program)',
    fix: 'make room on the disk or mend it; the next start repairs the file',
  },
  DATABASE_LOCKED: {
    when: 'another process, mostly the same proxy started twice, has the database open',
    fix: 'stop the one that the line names, or give each proxy databases of its own with `--dedup-db-file` and `--stats-db-file`',
  },
  DATABASE_FOREIGN: {
    when: 'the folder of a database is a file, or holds something else',
    fix: 'name a folder that is empty or not there yet',
  },
  DATABASE_DAMAGED: {
    when: 'the database is damaged, as after a disk fault, and its repair at start or by `warctap store repair` has failed',
    fix: 'move it away: a new one is begun. WARC files do not need it, and `warctap store rebuild` makes the indexes again from them',
  },
  DATABASE_UNUSABLE: { when: 'the database cannot be opened', fix: 'see the reason in the line: leave to write, room on the disk' },
  AUTH_KEY_FILE: {
    when: 'the file of the key that secrets of applications are encrypted under is missing, readable by others, or another one',
    fix: 'put the right key file back, with mode 0600; without it make the accesses anew',
  },
  WARCTAP_TRANSFORMATIONS: {
    when: 'what `CIRCE_TRANSFORMATIONS_MODULE` names cannot be loaded, or has no transformation that can be offered',
    fix: 'name a file with its path, such as `./transformations.js`, or an installed package',
    says: ['there is no module of transformations …: expected a file, a folder with an index, or a package (CIRCE_TRANSFORMATIONS_MODULE)'],
  },
  WARCTAP_SOCKET: {
    when: '`warctap transform serve` cannot listen on its address',
    fix: 'stop what listens there, or take another port with `CIRCE_PORT`',
  },
  QUEUE_STORE: {
    when: 'the database of a queue cannot be read or written; callers are answered 503, and nothing of their call was stored',
    fix: 'make room on the disk of `--db`, or mend it, and start the manager again',
  },
  CRAWL_STORE: {
    when: 'the database of the crawl server cannot be read or written; nothing of what was asked was stored',
    fix: 'make room on the disk of `--db`, or mend it, and start the server again',
  },
  QUEUE_MANAGER_AWAY: {
    when: 'the manager of a queue does not answer; a worker goes on asking, other commands end',
    fix: 'start it, or say with `--manager` where it listens',
  },
  QUEUE_MANAGER_REFUSES: {
    when: 'the manager of a queue says no, in its own words behind the status',
    fix: 'for 401 and 403 look at the key; otherwise do as the line says',
    says: ['the manager answers …: …'],
  },
  DATABASE_FAILING: {
    when: 'the database was open and cannot be read or written any more; at the end of the proxy: exit code 4, the WARC files are whole',
    fix: 'see the reason in the line: make room on the disk or mend it; a proxy that runs opens the database again by itself',
  },
  DATABASE_BEHIND: {
    when: 'the proxy has ended without all that belongs in the indexes: exit code 4, the WARC files are whole',
    fix: 'make room on the disk or mend it, then `warctap store rebuild FOLDER --from DIR`',
  },
  STORE_UNREACHABLE: {
    when: 'the store of `--store` does not answer at the start',
    fix: 'start it, or look at the URL and at what is between; see docs/scale.md',
    says: [
      'store … cannot be reached: …',
      'store … does not answer in time',
      'store … is reading its data from the disk; try again when it has',
    ],
  },
  STORE_REFUSES: {
    when: 'the store of `--store` wants another user or password, does not let this user do what has to be done, or has a certificate that is not trusted',
    fix: 'put the right ones in the URL, or the password in `--store-password-file`; docs/scale.md has the rights that it takes',
    says: [
      'store … refuses the user or password of the URL',
      'store … wants a password: name it as in valkey://USER:PASSWORD@HOST/DB, or with --store-password-file',
      'store … does not let its user do this: …',
      'store … is not trusted: …; name the file of its authority in NODE_EXTRA_CA_CERTS',
      'store … has a certificate for another name: …',
    ],
  },
  STORE_UNSUITABLE: {
    when: 'what `--store` names is too old, a replica, part of a cluster, made by another version, or no store at all',
    fix: 'do as the line says',
    says: [
      'store … is Redis …, which is too old: it takes 6.2 or newer, or Valkey',
      'store … is a replica, which takes no writes: name its primary, or Sentinels with ?sentinel=NAME',
      'store … is part of a cluster, which cannot be a store: name a single server, or Sentinels',
      'store … has no such database: …',
      'store … does not speak as Valkey or Redis do',
    ],
  },
  STORE_AWAY: {
    when: 'the store was in use, and cannot be used any more; requests with limits are answered 503 meanwhile',
    fix: 'see the reason in the line; it is used again by itself, and what belongs in it is delivered then',
    says: ['store … cannot write to its disk, and takes nothing until it can: see its log'],
  },
  STORE_FULL: {
    when: 'the store has no memory left for what is new',
    fix: 'raise its `maxmemory`, or make room; docs/scale.md says what it takes',
    says: ['store … is full: raise its maxmemory, or make room'],
  },
  EADDRINUSE: {
    when: 'something listens on the port already',
    fix: 'stop that, or take another port; where a proxy of this kind answers the line has its process',
    says: ['the port is in use…; … names another one, … 0 picks one that is free'],
  },
  EADDRNOTAVAIL: {
    when: 'the address to listen on is none of this machine',
    fix: 'give one that it has with `--address`, or `0.0.0.0` for all',
    says: ['this machine has no such address; --address names one that it has, or 0.0.0.0 for all of them'],
  },
  ENOTFOUND: {
    when: 'the host name to listen on is not known',
    fix: 'give another name, or an address, with `--address`',
    says: ['the host name has no address; --address names another one, or an address'],
  },
  EACCES: {
    when: 'the port is one that this user may not take',
    fix: 'take one from 1024 on, or give the process CAP_NET_BIND_SERVICE',
    says: ['not permitted, as it mostly is below …; … names another port'],
  },
} as const satisfies Readonly<Record<string, MessageRow>>;

export type EndCode = keyof typeof ENDS;
