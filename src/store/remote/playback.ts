/**
 * The playback index that another process has.
 */
import type { Wire } from '../../util/wire.ts';
import type { PlaybackIndex, PlaybackPlace } from '../playback.ts';
import { formOfEntry, formOfLost, foundIn, placeIn, type FoundForm } from './forms.ts';

export function remotePlayback(wire: Wire): PlaybackIndex {
  const place = (answer: unknown) => (answer === undefined ? undefined : placeIn(answer as PlaybackPlace));
  return {
    async save(entries) {
      await wire.call('save', entries.map(formOfEntry));
    },
    async find(url, lane, which, { from, to } = {}) {
      const found = await wire.call('find', url, lane, which, from?.getTime() ?? null, to?.getTime() ?? null);
      return found === undefined ? undefined : foundIn(found as FoundForm);
    },
    async list(urlStart, limit, from) {
      const [listed, next] = (await wire.call('list', urlStart, limit, from ?? null)) as [(readonly [string, FoundForm])[], string | null];
      return { captures: listed.map(([url, form]) => ({ ...foundIn(form), url })), next: next ?? undefined };
    },
    byId: async (recordId) => place(await wire.call('byId', recordId)),
    byDate: async (url, date, payloadDigest) => place(await wire.call('byDate', url, date, payloadDigest)),
    drop: async (lost) => (await wire.call('dropPlayback', formOfLost(lost))) as number,
    close: () => Promise.resolve(),
  };
}
