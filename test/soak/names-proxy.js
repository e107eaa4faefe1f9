/**
 * The proxy of the test of many names, in a process of its own: every name leads to this machine. Ends when its parent disconnects.
 *
 * As built, without the TypeScript loader, whose memory would count in. `fork('names-proxy.js', [DIR, CA_FILE])`
 */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startProxy } from '../../dist/programs/start-proxy.js';
import { resolveOptions } from '../../dist/options/resolve.js';
import { silentLog } from '../../dist/util/log.js';

const [dir, cacert] = process.argv.slice(2);
const options = resolveOptions({
  port: 0,
  address: '127.0.0.1',
  dir: join(dir, 'warcs'),
  gzip: true,
  certsDir: join(dir, 'certs'),
  cacert,
  dedupDbFile: join(dir, 'db'),
  statsDbFile: join(dir, 'db'),
  minFreeSpace: 0,
  allowLocalhost: true,
  plugin: [fileURLToPath(new URL('probe.js', import.meta.url))],
});
// Not in this turn: what a name server says does not come in it, either.
const resolve = () => setImmediate([{ address: '127.0.0.1', family: 4 }]);
const proxy = await startProxy(options, silentLog, { resolve });
process.once('disconnect', () => void proxy.close());
process.send({ port: proxy.port, ca: proxy.caCertificatePem });
