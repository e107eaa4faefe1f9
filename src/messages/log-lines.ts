/** Lines of the log at the levels `warn` and `error`: by their text, in which `…` stands for what differs. */
import { CLUSTER_LINES } from './cluster-lines.ts';
import { CRAWL_LINES } from './crawl-lines.ts';
import { FINISHED_LINES } from './finished-lines.ts';
import { QUEUE_LINES } from './queue-lines.ts';
import { REPORT, type MessageRow } from './row.ts';

const SEE_REASON = 'see the reason in the line; it is counted in `/status`';

export const LOG_LINES = {
  'the CDX server cannot be asked, so no duplicates are found: …': {
    when: 'the server of `--cdxserver-dedup` is down, slow, or answers something else',
    fix: 'look at that server; everything is archived meanwhile, duplicates too',
  },
  'processor … failed…: …': {
    when: 'a step of the chain has thrown; the captures go on. The same once more is only counted (`failed 7 times more`)',
    fix: SEE_REASON,
  },
  'crawl log cannot be written: …': {
    when: 'a log of `--crawl-log-dir` cannot be opened or written',
    fix: 'make room or give leave; lines are lost until then, records are not',
  },
  'not archived, because its …': {
    when: 'what had come of an answer could not be kept; `hashing failed` is a fault in warctap',
    fix: 'make room in the folder of temporary files (`TMPDIR`); without gzip, in that of WARC files (`--dir`)',
  },
  'messages of a WebSocket are missing in the archive: …': {
    when: 'what passed is no WebSocket any more, or is compressed in a way that is not known; what passes is passed on all the same',
    fix: 'nothing at the proxy: client and origin speak so. Where the reason is a temporary file, make room in `TMPDIR`',
  },
  'a message of a WebSocket is too long to be played back': {
    when: 'a line of the messages is longer than 16 MiB; it is left out, and the others are played',
    fix: 'nothing; the record holds it, and other tools read it there',
  },
  'archived, because its MIME type filters cannot be decided: …': {
    when: 'the regexes of `mime-type-filters` take too long for this Content-Type',
    fix: 'write simpler ones',
  },
  'plugin … …': { when: 'a plugin has failed, in the words of one of the next four lines', fix: 'look at the plugin' },
  'has not returned within … ms: captures pass it by until it does': {
    when: 'behind the name of a plugin: a call of it hangs',
    fix: 'look at the plugin; the captures go on without it',
  },
  'failed for … of … captures: …': {
    when: 'behind the name of a plugin: its notify() has thrown',
    fix: 'look at the plugin; nothing is lost',
  },
  'failed for a batch of … captures: …': {
    when: 'behind the name of a plugin: its process() has thrown',
    fix: 'look at the plugin; nothing is lost',
  },
  'failed outside of a call: …': {
    when: 'behind the name of a plugin: it has thrown in a timer or a listener of its own',
    fix: 'look at the plugin; nothing is lost, the proxy goes on',
  },
  'plugin … … after all and gets captures again': { when: 'a call that had hung has come back', fix: 'nothing' },
  'plugin … has not stopped within … ms': { when: 'the plugin hangs while the proxy closes', fix: 'look at its stop()' },
  'plugin … failed to stop: …': { when: 'stop() of the plugin has thrown', fix: 'look at its stop()' },
  'the index of a WARC file could not be written: …': {
    when: 'with `--cdxj` or `--collection`: what stands in the line is wrong with the disk or the folder. Nothing of the archive is lost',
    fix: 'make room or give leave; the next start makes it, and `warctap cdxj` does',
  },
  'what is not in the index of a WARC file: …': {
    when: 'with `--cdxj` or `--collection`: a WARC file of an earlier run cannot be read at this place',
    fix: '`warctap verify` tells more of it',
  },
  ...FINISHED_LINES,
  'others may read …; chmod 600 is advised': {
    when: 'the file of `--proxy-auth-file` or `--meta-secret-file` is readable for more than its owner',
    fix: '`chmod 600` it, unless it is a mounted secret',
  },
  'others may read the private key of the certificate authority; chmod 600 is advised': {
    when: 'the CA file is readable for more than its owner',
    fix: '`chmod 600` it, unless it is a mounted secret',
  },
  'leaf certificates cannot be kept; they are made anew at the next start': {
    when: 'nothing can be written in `--certs-dir`',
    fix: 'give this user leave to, or name another folder; it costs time only',
  },
  'several CA files and none of this machine: the newest is used, --cacert names another': {
    when: 'the machine has been renamed more than once, or shares its folder',
    fix: 'name the one that clients trust with `--cacert`, or delete the others',
  },
  'this environment variable names no option': {
    when: 'a variable begins with WARCTAP_ and is mistyped, or of another version',
    fix: 'correct or remove it',
  },
  'a fault in warctap, exiting at once: …': { when: 'the same in one of the processes of `--workers`, which is replaced', fix: REPORT },
  'a fault in warctap, exiting at once: ……': { when: 'something was thrown that nobody has caught', fix: REPORT },
  'could not start': { when: 'with `--trace`: the error behind the line that ends the program, with its stack', fix: 'see that line' },
  'exiting at once, the next start repairs open files': {
    when: 'a second signal came while closing',
    fix: 'nothing; the next start repairs',
  },
  'not reloaded, all stays as it was: …': {
    when: 'a reload was asked for, and an option or its file will not do now',
    fix: 'correct what the line says, then reload again',
  },
  'changed, and takes effect at the next start: …': {
    when: 'a reload has found other values of options that are not reloadable',
    fix: 'restart the proxy to have them take effect',
  },
  'stopping, nothing more can be archived': {
    when: 'a WARC file cannot be written: exit code 3',
    fix: 'make room on the disk or mend it, then start again',
  },
  'closing failed': {
    when: 'something could not be written or closed at the end: exit code 3, or 4 where it was a database only',
    fix: 'see the reason; `warctap verify` and the next start say what is left',
  },
  'archived record not found: …': {
    when: 'playback looked for a record where the index says, and the file was moved or changed',
    fix: 'put the file back into `--dir`',
  },
  'the original of an archived revisit is not in the index': {
    when: 'playback has a revisit whose original was archived elsewhere or with another index',
    fix: 'nothing; answered as not archived',
  },
  'playback of a request failed': { when: 'the index or a file cannot be read', fix: 'see the error in the line' },
  'playback broke off': {
    when: 'a file could not be read on while it was sent',
    fix: 'see the error in the line; `warctap verify` the file',
  },
  'a file that was played back could not be closed': { when: 'the system has refused it', fix: 'see the error in the line' },
  'a listener of the event "capture" has thrown': {
    when: 'a program that embeds the proxy has a fault in its listener',
    fix: 'mend the listener; nothing is lost',
  },
  '…; requests are answered 503 until there is more': {
    when: 'less than `--min-free-space` is left on the disk of the WARC files or of temporary files, whichever the line names',
    fix: 'make room, or lower the option; `0` switches the check off',
  },
  'the system lets fewer files be open (ulimit -n) than --max-connections and --max-threads need: both are lowered': {
    when: 'files, sockets and the two options together would need more than the system lets be open; the line says what they are now',
    fix: 'raise the limit (`ulimit -n`, `LimitNOFILE` of systemd), or lower the options',
  },
  'a WARC file was gone, moved or deleted while it was written to: everything that was in it is there again': {
    when: 'somebody has moved or deleted a file that was open; it was written again from what the system still had',
    fix: 'leave files alone until they have their final names; where it was moved, what was moved is there twice',
  },
  'no WARC file can be opened, what is to be written waits: …': {
    when: 'the process, or the machine, has as many files open as it may: a plugin that leaves them open, or another program',
    fix: 'nothing is lost: it goes on once one is closed; raise the limit (`ulimit -n`)',
  },
  'a WARC file is gone, and what was in it is lost: …': {
    when: 'a file that was open was moved or deleted, and could not be written again',
    fix: 'see the reason in the line; look for the file where it was moved to',
  },
  'a fault in warctap: the connection to an origin was closed': { when: 'something was thrown while an answer was read', fix: REPORT },
  'a fault in warctap: the connection of a client was closed': {
    when: 'something was thrown while a request was read or answered',
    fix: REPORT,
  },
  'a fault in warctap: a client of HTTP/2 was disconnected': {
    when: 'the same where it is known of no one request of its connection',
    fix: REPORT,
  },
  'a fault in warctap: the stream of a client was closed': {
    when: 'the same with a request of HTTP/2; other requests of its connection go on',
    fix: REPORT,
  },
  'other machines can use this proxy without a password, see --proxy-auth-file': {
    when: '`--address` is no loopback address and no log-in is asked for',
    fix: 'give `--proxy-auth-file`, or listen on localhost',
  },
  'Warcprox-Meta: …': { when: 'a client has sent something that is ignored', fix: 'correct the client' },
  'Warcprox-Meta could not be followed': {
    when: 'the statistics cannot be read; the request is answered 500',
    fix: 'look at `--stats-db-file`',
  },
  'too many client connections, new ones are dropped': {
    when: 'more than `--max-connections` are open',
    fix: 'raise it, or have clients close theirs',
  },
  'no certificate could be made': {
    when: 'the host of a CONNECT is no name that a certificate can have',
    fix: 'correct the client; only this connection is closed',
  },
  'a page failed: …': { when: 'one of the proxy’s own pages has thrown', fix: REPORT },
  'statistics cannot be written; they are kept in memory and tried again': {
    when: 'the disk of `--stats-db-file` is full or gone',
    fix: 'make room; told once until it works again',
  },
  'database … is damaged (…) and is being repaired': {
    when: 'the start, or a return after a fault, has found checksums of a database that do not match',
    fix: 'nothing yet; the next line says what is left',
  },
  'database … was damaged (…) and has been repaired: … entries are left,… what stood in the damaged parts is lost; entries of the deduplication and playback indexes are put back by warctap store rebuild':
    {
      when: 'the repair has ended',
      fix: 'look at the disk; stop the proxy and `warctap store rebuild FOLDER --from DIR`. Lost statistics begin at zero',
    },
  '…; archiving goes on without it, and what belongs in it is put in later': {
    when: 'a database cannot be read or written: a full disk, or damage',
    fix: 'make room or mend the disk; it is repaired and opened again by itself, `/status` shows when',
  },
  'database … is in use again': { when: 'a database that had failed has come back', fix: 'nothing' },
  'more buckets wait for the database than memory holds: further ones are not counted': {
    when: 'a database is away for long, and very many buckets are counted in',
    fix: 'see the line about that database; `/status` counts what is lost',
  },
  'more entries wait for the database than are kept in memory: further ones are lost to it, see warctap store rebuild': {
    when: 'a database is away for long, and 64 MiB of entries wait for it',
    fix: 'make room or mend the disk; once the proxy has stopped, `warctap store rebuild FOLDER --from DIR`',
  },
  'an entry of the database is damaged, and counts as missing': {
    when: 'the checksum of an entry does not match: its payload is archived once more, a bucket of statistics begins at zero',
    fix: 'stop the proxy, then `warctap store check FOLDER`, and look at the disk',
  },
  '… more entries of the database are damaged': { when: 'as the line before, for those that came after it', fix: 'as for that' },
  '…; …, and what belongs in it is put in later': {
    when: 'the store of `--store` cannot be used any more, or is full: captures are written as responses, or only known duplicates found',
    fix: 'see the reason in the line; it is used again by itself, and nothing is lost',
  },
  'still away: …': { when: 'something else keeps the store away than at first, such as a password', fix: 'see the reason in the line' },
  'store … is in use again': { when: 'a store that was away or full can be used again', fix: 'nothing; what waited is delivered now' },
  'more waits for the store than is kept for it: further entries and counts are lost to it, see warctap store rebuild': {
    when: 'a store is away for very long, and a gigabyte waits for it',
    fix: 'bring it back; then `warctap store rebuild URL --from DIR`. `/status` counts what is lost',
  },
  'what waits for the store is delivered at the next start with the same store and database': {
    when: 'the proxy was stopped while its store was away',
    fix: 'start it again with the same `--store` and `--dedup-db-file` once the store is back',
  },
  'log lines are missing here: nobody took them, and they did not fit into memory': {
    when: 'whatever reads standard error has not done so for long; `lines` has their number',
    fix: 'look at what reads the log; captures are not held up by it',
  },
  'open WARC files are not repaired: locks do not work here, and another program may be writing them': {
    when: 'the file system of `--dir` has no locks',
    fix: 'make sure that nobody writes there, then run `warctap repair`',
  },
  'dropped index entries of records that were lost': {
    when: 'after a crash, records that the index knew are not in the files',
    fix: 'nothing; the next capture of each is written in full',
  },
  'an open WARC file was not repaired: …': {
    when: 'a file that a crash has left cannot be cut or renamed',
    fix: 'see the reason; `warctap verify` and `warctap repair` by hand',
  },
  'somebody else has made a file with the name of this WARC file: it got another name': {
    when: 'two programs write the same names into one folder',
    fix: 'give each a `--prefix` or `--dir` of its own',
  },
  'a large body goes to a temporary file: …': {
    when: 'no WARC file could be made ready for a large answer that comes',
    fix: 'see the reason; the answer is archived all the same, once it is complete',
  },
  'a large body that is not wanted cannot be cut off: …': {
    when: 'what has come of a large answer is no record, and its WARC file could not be cut back; the proxy stops, the next start repairs the file',
    fix: 'see the reason: the disk has failed',
  },
  'a WARC file that was idle could not be closed': {
    when: 'the disk has failed or is full; the proxy stops',
    fix: 'see the error in the line',
  },
  'old files stay': {
    when: 'old results or sessions of the transformation service cannot be removed',
    fix: 'see the error in the line; it is tried again',
  },
  'old results stay: …': { when: 'old results of transformations cannot be removed', fix: 'see the reason; it is tried again' },
  'looking once a second, as changes are not told: …': {
    when: 'the system has no more watches of folders',
    fix: 'nothing; to have jobs begin sooner, raise fs.inotify.max_user_watches',
  },
  'the folder of a job stays: …': {
    when: 'a job’s own folder cannot be removed at its end',
    fix: 'see the reason; it is removed at the next start',
  },
  'a request failed: …': {
    when: 'the transformation service could not answer: 500',
    fix: 'see the reason: a disk, or a fault to be reported',
  },
  'the queue cannot be read: …': {
    when: 'the working folder of the transformation service is gone or not readable',
    fix: 'put it back; it is tried again',
  },
  'a key of HEROSHI_CONFIG_PATH is not let in: …': {
    when: 'the file of the published manager has a key whose name another key has by now',
    fix: 'remove one of the two: `warctap queue keys remove`, or the line of the file',
  },
  'a notification may be sent again: …': {
    when: 'that it was sent cannot be written down: the disk of the working folder is full or gone',
    fix: 'make room; whoever is notified should know an id that it has been told of',
  },
  'a job stays in the queue, its result cannot be written: …': {
    when: 'the disk of the working folder is full or gone',
    fix: 'make room; the job is tried again',
  },
  stopping: {
    when: 'a program that could come to an end by itself cannot go on; the reason stands behind it, as when a manager refuses the key of a worker',
    fix: 'do as the reason says',
  },
  ...QUEUE_LINES,
  ...CLUSTER_LINES,
  'page not archived: …': {
    when: '`warctap archive` could not load a page at all; a record in the WACZ says why where an origin did not answer',
    fix: 'see the reason in the line; name the page again once it can be reached',
  },
  'page archived in part: …': {
    when: '`warctap archive` ended a page before it had loaded all: it was too slow, or the command was stopped',
    fix: 'raise `--page-timeout`, or name the page again',
  },
  ...CRAWL_LINES,
} as const satisfies Readonly<Record<string, MessageRow>>;
