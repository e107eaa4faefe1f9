/**
 * What goes wrong with a database or a shared store, told in one line that names it and says what to do.
 */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  /**
   * `DATABASE_FAILING`: it was open, and could not be read or written; `DATABASE_BEHIND`: it was closed without all that belongs in it.
   * The others keep it from being opened.
   */
  readonly code: 'DATABASE_LOCKED' | 'DATABASE_FOREIGN' | 'DATABASE_DAMAGED' | 'DATABASE_UNUSABLE' | 'DATABASE_FAILING' | 'DATABASE_BEHIND';
  readonly folder: string;
  /** in words that follow the folder */
  readonly problem: string;

  constructor(code: DatabaseError['code'], folder: string, problem: string, cause?: unknown) {
    super(`database ${folder} ${problem}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.folder = folder;
    this.problem = problem;
  }

  /** The same where options have named the folder: a line that says to name another one ends with their flags. */
  withFlags(flags: string): DatabaseError {
    const another = this.code === 'DATABASE_LOCKED' || this.code === 'DATABASE_FOREIGN';
    return another ? new DatabaseError(this.code, this.folder, `${this.problem} with ${flags}`, this.cause) : this;
  }
}

/** What is wrong with a shared store. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  /**
   * `STORE_AWAY`: it was in use, and cannot be asked or written at the moment; `STORE_FULL`: the same, and it can still be read. The others
   * keep it from being used at all.
   */
  readonly code: 'STORE_UNREACHABLE' | 'STORE_REFUSES' | 'STORE_UNSUITABLE' | 'STORE_AWAY' | 'STORE_FULL';
  /** its URL, without user and password */
  readonly store: string;
  /** in words that follow the URL */
  readonly problem: string;

  constructor(code: StoreError['code'], store: string, problem: string, cause?: unknown) {
    super(`store ${store} ${problem}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.store = store;
    this.problem = problem;
  }
}

/** Whether databases alone have failed: what is in the WARC files is whole then. */
export function isDatabaseError(thrown: unknown): boolean {
  return thrown instanceof AggregateError
    ? thrown.errors.every(isDatabaseError)
    : thrown instanceof DatabaseError || thrown instanceof StoreError;
}
