/**
 * Fills the indexes of a folder with entries as the proxy writes them, of files that are closed: `fill-index.ts FOLDER COUNT`.
 *
 * Prints a line when it is done, and LevelDB has merged what it does not leave as it is: an index that has grown in weeks owes nothing, and one
 * filled at sixty thousand entries a second rewrites half of itself in the first minute of its use.
 */
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { Databases } from '../../src/store/level/database.ts';
import { levelDedup } from '../../src/store/level/dedup.ts';
import { KnownKeys } from '../../src/store/level/known-keys.ts';
import { dedupKey, type Published } from '../../src/store/dedup.ts';

const AT_ONCE = 1000;
/** A folder whose files stay the same for so many looks is not being merged any more. */
const QUIET_LOOKS = 20;
const LOOK_MS = 100;

const [folder = '', count = '0'] = process.argv.slice(2);

function entry(nth: number): Published {
  const digest = createHash('sha1').update(String(nth)).digest('hex');
  const id = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-4${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
  const original = {
    recordId: `<urn:uuid:${id}>`,
    url: `http://host-${nth % 1000}.example/a/page/of/some/length/${nth}`,
    date: '2026-01-02T03:04:05.678Z',
    answer: '200',
  };
  return { key: dedupKey(`sha1:${digest}`, ''), original, place: { file: `WARCPROX-20260102030405678-${nth % 100}.warc.gz`, offset: nth } };
}

{
  await using databases = new Databases();
  const database = await databases.open(folder);
  const section = database.later('dedup');
  const known = new KnownKeys({ section, file: join(folder, 'warctap-dedup.filter') });
  const store = levelDedup(section, { known });
  await store.drop({ ends: new Map(), unknown: new Set() });
  await known.begin();
  const index = store.holder();
  for (let from = 0; from < Number(count); from += AT_ONCE) {
    await index.publish(Array.from({ length: Math.min(AT_ONCE, Number(count) - from) }, (_, nth) => entry(from + nth)));
  }
  let before = '';
  for (let same = 0; same < QUIET_LOOKS; await pass(LOOK_MS)) {
    const now = (await readdir(folder)).join();
    same = now === before ? same + 1 : 0;
    before = now;
  }
  await known.save();
}
console.log('filled');
