// The site with traps, in a thread of its own: posts its port.
import { register } from 'node:module';
import { createServer } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

register('tsx/esm', import.meta.url, { data: true });
const { trapSite } = await import('./trap-site.ts');
const server = createServer(trapSite(workerData).answer);
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
