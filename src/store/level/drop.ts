/**
 * Drops the entries of an index whose record is lost.
 */
import type { IsLost, RecordPlace } from '../place.ts';
import type { Section } from './database.ts';

const DROP_AT_ONCE = 1000;

/**
 * Reads the whole section.
 *
 * @param placeIn where the record of an entry stands, by its value
 * @param dropped told of each key that is not there any more
 * @returns how many were dropped
 */
export async function dropLost(
  section: Pick<Section, 'iterator' | 'batch'>,
  placeIn: (value: string) => RecordPlace,
  isLost: IsLost,
  dropped: (key: string) => void = () => undefined,
): Promise<number> {
  let count = 0;
  let keys: string[] = [];
  const write = async () => {
    await section.batch(keys.map((key) => ({ type: 'del', key })));
    for (const key of keys) dropped(key);
    count += keys.length;
    keys = [];
  };
  for await (const [key, value] of section.iterator()) {
    if (isLost(placeIn(value))) keys.push(key);
    if (keys.length >= DROP_AT_ONCE) await write();
  }
  await write();
  return count;
}
