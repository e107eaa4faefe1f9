/**
 * Databases: LevelDB folders, each opened once, shared by the stores in it as a section each, all closed together.
 *
 * Owns the lock of every folder, so that no two processes use one at a time. Knows nothing of what the stores keep.
 */
import type { ClassicLevel } from 'classic-level';
import { silentLog, type Log } from '../../util/log.ts';
import { throwAll } from '../../util/thrown.ts';
import { DatabaseError } from '../errors.ts';
import { prepareFolder, type Tuning } from './folder.ts';
import { LaterSection } from './later.ts';
import { LiveFolder } from './live.ts';
import { Section } from './section.ts';

/** An open database. */
export interface Database {
  /** as it was given */
  readonly folder: string;
  /** @param name lower-case letters and digits; the same name is the same section */
  readonly section: (name: string) => Section;
  /** The same for an index, which can do without for a while. To be asked for once by each name. */
  readonly later: (name: string) => LaterSection;
  /** What waits for it beside those, to be shown with its state. */
  readonly shows: (waits: Waits) => void;
  /** What has to be done before it is closed. */
  readonly beforeClose: (job: () => Promise<void>) => void;
  /** The whole of it, for who is alone in the folder and keeps his keys apart himself. @throws DatabaseError while it is away */
  readonly level: () => ClassicLevel;
}

/** What is shown of a database. */
export interface DatabaseState {
  readonly folder: string;
  /** in one line; undefined while it works */
  readonly problem: string | undefined;
  /** entries that wait to be put in */
  readonly waiting: number;
  /** entries that waited in vain */
  readonly lost: number;
}

/** What is closed before the folders, as it keeps something in them, and shown with them. */
export interface Guest {
  readonly state: DatabaseState;
  close(): Promise<void>;
}

/** How much waits to be put in, and how much never will be. */
type Waits = Pick<DatabaseState, 'waiting' | 'lost'>;

interface Opened {
  readonly folder: LiveFolder;
  readonly later: LaterSection[];
  readonly waits: Waits[];
  readonly last: (() => Promise<void>)[];
}

export class Databases implements AsyncDisposable {
  readonly #open = new Map<string, Promise<Opened>>();
  readonly #log: Log;
  #states: Opened[] = [];
  #guests: Guest[] = [];

  constructor(log: Log = silentLog) {
    this.#log = log;
  }

  /** @throws DatabaseError when another process has it, it holds something else, or it is damaged beyond repair */
  async open(folder: string, tuning: Tuning = {}): Promise<Database> {
    const path = await prepareFolder(folder);
    const opening = this.#open.get(path) ?? this.#openNew(folder, path, tuning);
    this.#open.set(path, opening);
    try {
      return this.#databaseIn(folder, await opening);
    } catch (error) {
      this.#open.delete(path);
      throw error;
    }
  }

  /** To be closed with them. */
  join(guest: Guest): void {
    this.#guests.push(guest);
  }

  get states(): readonly DatabaseState[] {
    const folders = this.#states.map(({ folder, waits }) => ({
      folder: folder.folder,
      problem: folder.problem?.message,
      waiting: waits.reduce((sum, { waiting }) => sum + waiting, 0),
      lost: waits.reduce((sum, { lost }) => sum + lost, 0),
    }));
    return [...this.#guests.map(({ state }) => state), ...folders];
  }

  /**
   * Close all folders. To be called when the stores have written what they hold.
   *
   * @throws DatabaseError for one that lacks what belongs in it
   */
  async close(): Promise<void> {
    const left = await Promise.allSettled(this.#guests.splice(0).map((guest) => guest.close()));
    const opened = await Promise.allSettled(this.#open.values());
    this.#open.clear();
    this.#states = [];
    const ends = await Promise.allSettled(opened.flatMap((end) => (end.status === 'fulfilled' ? [closeOne(end.value)] : [])));
    throwAll([...left, ...ends].flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : [])));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #openNew(folder: string, path: string, tuning: Tuning): Promise<Opened> {
    const opened: Opened = { folder: await LiveFolder.open({ folder, path, tuning, log: this.#log }), later: [], waits: [], last: [] };
    opened.folder.whenBack(() => {
      for (const each of opened.later) void each.putIn();
    });
    this.#states.push(opened);
    return opened;
  }

  #databaseIn(folder: string, opened: Opened): Database {
    const section = (name: string) => new Section(opened.folder, name, this.#log);
    return {
      folder,
      section,
      shows: (waits) => void opened.waits.push(waits),
      beforeClose: (job) => void opened.last.push(job),
      level: () => opened.folder.level,
      later: (name) => {
        const later = new LaterSection(section(name), this.#log);
        opened.later.push(later);
        opened.waits.push(later);
        return later;
      },
    };
  }
}

async function closeOne({ folder, later, last }: Opened): Promise<void> {
  for (const job of last) await job();
  await folder.revive();
  for (const each of later) await each.putIn();
  const { problem } = folder;
  await folder.close();
  const missing = later.reduce((sum, { waiting, lost }) => sum + waiting + lost, 0);
  if (missing > 0) {
    const why = problem === undefined ? '' : `: ${problem.problem}`;
    const told = `lacks ${missing} entries that could not be written${why}; warctap store rebuild puts them in`;
    throw new DatabaseError('DATABASE_BEHIND', folder.folder, told, problem);
  }
}
