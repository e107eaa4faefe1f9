/**
 * What a crawl server takes over while it runs: who may log in, and which addresses may be reached.
 */
import { HTPASSWD, readAuthFile } from '../auth/auth-file.ts';
import type { UserAuthenticator } from '../auth/authenticator.ts';
import { changesOf, type Changes } from '../options/changes.ts';
import { CRAWL_ROWS, type CrawlSlice } from '../options/rows/crawl.ts';
import { CORE_OPTIONS, type ResolvedCoreOptions } from '../options/table.ts';
import type { Log } from '../util/log.ts';
import type { Core } from './core.ts';
import { orRefusedUsers, usersFile } from './crawl-users.ts';

export interface CrawlReloadParts {
  readonly options: CrawlSlice & ResolvedCoreOptions;
  readonly core: Core;
  readonly authenticator: UserAuthenticator;
  readonly log: Log;
}

const ROWS = { ...CRAWL_ROWS, ...CORE_OPTIONS };
const ADDRESS_OPTIONS = ['allowLocalhost', 'allow', 'deny'] as const;

export class CrawlReload {
  readonly #parts: CrawlReloadParts;
  #inForce: CrawlSlice & ResolvedCoreOptions;

  constructor(parts: CrawlReloadParts) {
    this.#parts = parts;
    this.#inForce = parts.options;
  }

  /** All of it or, with an error, nothing. One call at a time. @throws OptionError */
  async to(next: CrawlSlice & ResolvedCoreOptions): Promise<Changes> {
    const { core, authenticator, log } = this.#parts;
    const { now, atNextStart } = changesOf(ROWS, this.#inForce, next);
    const file = usersFile({ db: this.#inForce.db, authFile: next.authFile });
    const users = await orRefusedUsers(file, readAuthFile(file, log, HTPASSWD));
    const changed = new Set<string>(now);
    if (authenticator.replace(users)) changed.add('authFile');
    if (ADDRESS_OPTIONS.some((name) => changed.has(name))) core.replaceAddressRules(next);
    const { allowLocalhost, allow, deny, authFile } = next;
    this.#inForce = { ...this.#inForce, allowLocalhost, allow, deny, authFile };
    return { now: [...changed], atNextStart };
  }
}
