/** Run as a process of its own: opens the folder, does what it is told, prints one line, and waits to be killed. */
import { Databases } from '../../../src/store/level/database.ts';
import { levelDedup } from '../../../src/store/level/dedup.ts';
import { LevelStatistics } from '../../../src/store/level/statistics.ts';
import { silentLog } from '../../../src/util/log.ts';

const [folder = '', what] = process.argv.slice(2);
const database = await new Databases().open(folder);
process.stdin.resume();

if (what === 'dedup') {
  const original = { recordId: '<urn:uuid:1>', url: 'http://a.example/', date: '2024-01-02T03:04:05.678Z' };
  const index = levelDedup(database.section('dedup')).holder();
  await index.claim(['sha1:aa|', 'sha1:bb|'].map((key) => ({ key, claims: true })));
  await index.publish([{ key: 'sha1:aa|', original, place: { file: 'A.warc', offset: 7 } }]);
}
if (what === 'stats') {
  // Nobody flushes: the line comes when the store has written by itself.
  const section = database.section('stats');
  const batch = section.batch.bind(section);
  const written = new Promise<void>((resolve) => {
    section.batch = (changes) => batch(changes).finally(resolve);
  });
  const store = new LevelStatistics({ section, log: silentLog });
  const start = performance.now();
  for (let count = 0; count < 1000; count++) store.tally(`b${count % 10}`, 'new', 5);
  await written;
  console.log(performance.now() - start);
} else console.log('done');
