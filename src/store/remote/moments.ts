/**
 * The moments that people have chosen, known by another process: whichever of many they come to, they see the same.
 */
import type { Wire, WireHandlers } from '../../util/wire.ts';
import type { Moments } from '../moments.ts';

export function remoteMoments(wire: Wire): Moments {
  return {
    async of(viewer) {
      const at = await wire.call('momentOf', viewer);
      return typeof at === 'number' ? new Date(at) : undefined;
    },
    async choose(viewer, at) {
      await wire.call('chooseMoment', viewer, at?.getTime() ?? null);
    },
  };
}

export function momentsFor(moments: Moments): WireHandlers {
  return {
    momentOf: async (viewer: string) => (await moments.of(viewer))?.getTime() ?? null,
    chooseMoment: (viewer: string, at: number | null) => moments.choose(viewer, at === null ? undefined : new Date(at)),
  };
}
