/**
 * A load generator: so many connections to the proxy, one request after the other on each. Prints one line of JSON.
 *
 * `node --import tsx test/bench/load.ts PROXY_PORT ORIGIN_PORT http|https REQUESTS CONNECTIONS`
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const [proxyPort = 0, originPort = 0, , requests = 0, connections = 1] = process.argv.slice(2).map(Number);
const https = process.argv[4] === 'https';
const times = new Float64Array(requests);
let sent = 0;
let done = 0;
let bytes = 0;
let errors = 0;
let startedMs = 0;

function finish(): void {
  const seconds = (performance.now() - startedMs) / 1000;
  times.sort();
  const at = (share: number) => times[Math.floor(share * (requests - 1))] ?? 0;
  const result: LoadResult = { requests, seconds, bytes, errors, p50Ms: at(0.5), p99Ms: at(0.99) };
  console.log(JSON.stringify(result));
  process.exit(0);
}

function run(socket: Socket): void {
  let head = '';
  let left = -1;
  let sentMs = 0;
  const next = () => {
    if (sent === requests) return void socket.end();
    const target = https ? `/${sent}` : `http://127.0.0.1:${originPort}/${sent}`;
    sent++;
    sentMs = performance.now();
    socket.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${originPort}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n`);
  };
  const answered = (ok: boolean) => {
    if (!ok) errors++;
    times[done++] = performance.now() - sentMs;
    if (done === requests) finish();
    else next();
  };
  socket.on('data', (piece: Buffer) => {
    bytes += piece.length;
    let rest = piece.length;
    if (left === -1) {
      head += piece.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return;
      left = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      rest = head.length - end - 4;
    }
    left -= rest;
    if (left > 0) return;
    const ok = head.startsWith('HTTP/1.1 200 ');
    head = '';
    left = -1;
    answered(ok);
  });
  socket.on('error', (error) => {
    console.error(`load: ${error.message}`);
    process.exit(1);
  });
  next();
}

function open(): Promise<Socket> {
  return new Promise((resolve) => {
    const tcp = connectTcp({ port: proxyPort, host: '127.0.0.1', noDelay: true }, () => {
      if (!https) return resolve(tcp);
      tcp.write(`CONNECT 127.0.0.1:${originPort} HTTP/1.1\r\nHost: 127.0.0.1:${originPort}\r\n\r\n`);
      tcp.once('data', () => {
        const tls = connectTls({ socket: tcp, rejectUnauthorized: false }, () => resolve(tls));
      });
    });
  });
}

const sockets = await Promise.all(Array.from({ length: connections }, open));
startedMs = performance.now();
for (const socket of sockets) run(socket);
