/** All commands, in the order of `warctap --help`. To add one, write its file and add its line. */
import type { CommandFamily, CommandSpec } from '../command.ts';
import { archive } from './archive.ts';
import { browse } from './browse.ts';
import { ca } from './ca.ts';
import { cat } from './cat.ts';
import { cdxj } from './cdxj.ts';
import { completion } from './completion.ts';
import { convert } from './convert.ts';
import { crawl } from './crawl.ts';
import { ls } from './ls.ts';
import { man } from './man.ts';
import { passwd } from './passwd.ts';
import { proxy } from './proxy.ts';
import { queue } from './queue.ts';
import { repair } from './repair.ts';
import { scraper } from './scraper.ts';
import { store } from './store.ts';
import { tls } from './tls.ts';
import { transform } from './transform.ts';
import { trust, untrust } from './trust.ts';
import { verify } from './verify.ts';
import { wacz } from './wacz.ts';

/** What `warctap` does when no command is named. */
export const DEFAULT_COMMAND: CommandSpec = proxy;

export const COMMANDS: readonly (CommandSpec | CommandFamily)[] = [
  archive,
  browse,
  ca,
  trust,
  untrust,
  ls,
  cat,
  cdxj,
  wacz,
  convert,
  verify,
  repair,
  tls,
  store,
  passwd,
  queue,
  crawl,
  transform,
  scraper,
  completion,
  man,
];
