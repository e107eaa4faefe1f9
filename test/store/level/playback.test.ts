import { join } from 'node:path';
import { test } from 'node:test';
import { levelPlayback } from '../../../src/store/level/playback.ts';
import { playbackContract, two } from '../contract/playback.ts';
import { openDatabase, tempDir, withDatabase } from './support.ts';

playbackContract('LevelDB', async (t) => levelPlayback((await openDatabase(t)).section('playback')));

test('places are found after reopening, too', async (t) => {
  const folder = join(tempDir(t), 'db');
  const { entries, check } = two();
  await withDatabase(folder, ({ section }) => levelPlayback(section('playback')).save(entries));
  await withDatabase(folder, ({ section }) => check(levelPlayback(section('playback'))));
});
