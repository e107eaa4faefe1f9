/**
 * `node http-mitm-proxy-start.js FOLDER PORT`: starts the package that is installed in FOLDER, certificates in the current folder.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [folder = '', port] = process.argv.slice(2);
const { Proxy } = createRequire(join(folder, 'package.json'))('http-mitm-proxy');

console.debug = () => {};
const proxy = new Proxy();
proxy.onError((_, error) => console.error(String(error)));
proxy.listen({
  host: '127.0.0.1',
  port: Number(port),
  sslCaDir: join(process.cwd(), 'ca'),
  forceSNI: true,
  keepAlive: true,
  httpAgent: new HttpAgent({ keepAlive: true }),
  httpsAgent: new HttpsAgent({ keepAlive: true, rejectUnauthorized: false }),
});
process.once('SIGTERM', () => process.exit(0));
