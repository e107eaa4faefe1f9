/** The process that workers ask, for `stores.ts`: `stores-primary.ts FOLDER`, with the wire open as 4 and 5. Ends with it. */
import { Socket } from 'node:net';
import { Databases } from '../../src/store/level/database.ts';
import { levelDedup } from '../../src/store/level/dedup.ts';
import { serveStores } from '../../src/store/remote/server.ts';
import { Wire } from '../../src/util/wire.ts';

const openFiles = new Set(['A.warc']);
const database = await new Databases().open(process.argv[2] ?? '');
const wire = new Wire(new Socket({ fd: 4 }), new Socket({ fd: 5 }), {
  time: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
});
serveStores(wire, { dedup: levelDedup(database.section('dedup'), { openFiles }), stats: undefined, playback: undefined, openFiles });
void wire.closed.then(() => process.exit());
