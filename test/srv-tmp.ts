import { startHttp2Origin } from './support/http2.ts';
import { startProxy } from './support/proxy.ts';
const origin = await startHttp2Origin((stream) => { stream.respond({ ':status': 200, 'content-type': 'text/plain' }); stream.end('x'.repeat(1000)); });
const proxy = await startProxy({});
console.log(proxy.port, origin.port, process.pid);
import { writeFileSync } from 'node:fs';
writeFileSync('/tmp/h/h2ca.pem', proxy.ca);
