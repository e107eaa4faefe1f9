/**
 * One request on a raw socket, through a proxy or straight to the origin. Reads of an answer what tells where it ends.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import type { Load } from './load.ts';

/** What is asked for; what is left out is as the load says. */
export interface Target {
  readonly host: string;
  readonly path: string;
  /** lines of the request, without the last line's end */
  readonly fields?: string;
  /** of the answer */
  readonly status?: number;
  /** bytes of its body */
  readonly size?: number;
}

/** A connection on which another request may follow. */
export interface Exchange {
  /** what the answer under way calls with its bytes; with nothing when the connection has ended */
  receive: (bytes: Buffer | undefined) => void;
  send: (bytes: string) => void;
  /** closed by the other side after an answer */
  stale: boolean;
  close(): void;
}

export type Done = (error: string | undefined, kept: Exchange | undefined) => void;

/** The proxy closed a kept connection while nothing was under way: what any client answers with a new connection. */
export const STALE = 'stale connection';

const ignore = () => {};
/** One for all: making it reads every root certificate. */
const secureContext = createSecureContext();

const FIELDS = 'User-Agent: bench\r\nAccept: */*';

export function request(load: Load, asked: Target, kept: Exchange | undefined, done: Done): Exchange {
  const { scheme, originPort, proxyPort } = load;
  const { host, path, fields = FIELDS } = asked;
  const authority = `${host}:${originPort}`;
  const target = scheme === 'http' && proxyPort !== 0 ? `http://${authority}${path}` : path;
  const bytes = `GET ${target} HTTP/1.1\r\nHost: ${authority}\r\n${fields}\r\n\r\n`;
  const exchange = kept === undefined || kept.stale ? open(load, host, authority) : kept;
  exchange.receive = answerReader({ status: 200, ...load, ...asked }, exchange, exchange === kept, done);
  exchange.send(bytes);
  return exchange;
}

/** @returns at once; what is sent waits for the tunnel */
function open({ proxyPort, originPort, scheme }: Load, host: string, authority: string): Exchange {
  let early = '';
  const tcp = connectTcp({ port: proxyPort === 0 ? originPort : proxyPort, host: '127.0.0.1', noDelay: true });
  const exchange: Exchange = {
    receive: ignore,
    stale: false,
    send: (bytes) => (early = bytes),
    close() {
      exchange.receive = ignore;
      tcp.destroy();
    },
  };
  const ended = () => exchange.receive(undefined);
  const attach = (socket: Socket) => {
    socket.on('data', (bytes: Buffer) => exchange.receive(bytes));
    socket.on('error', ended).on('close', ended);
    exchange.send = (bytes) => socket.write(bytes, 'latin1');
    if (early !== '') socket.write(early);
  };
  const handshake = () => {
    // What has come may still have to be decrypted when the connection below has gone.
    tcp.off('error', ended).off('close', ended);
    attach(connectTls({ socket: tcp, rejectUnauthorized: false, servername: isIP(host) === 0 ? host : '', secureContext }));
  };
  if (scheme === 'http') attach(tcp);
  else if (proxyPort === 0) handshake();
  else {
    tcp.on('error', ended).on('close', ended);
    tcp.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    let answer = '';
    tcp.on('data', function read(bytes: Buffer) {
      answer += bytes.toString('latin1');
      if (!answer.endsWith('\r\n\r\n')) return;
      tcp.off('data', read);
      if (/^HTTP\/1\.[01] 200 /.test(answer)) handshake();
      else exchange.receive(bytes);
    });
  }
  return exchange;
}

interface Expected {
  readonly size: number;
  readonly status: number;
  readonly keepAlive: boolean;
}

function answerReader(
  { size, status, keepAlive }: Expected,
  exchange: Exchange,
  reused: boolean,
  done: Done,
): (bytes: Buffer | undefined) => void {
  let head = '';
  let reading = false;
  let chunked = false;
  let keeps = keepAlive;
  let left = Infinity;
  let tail = '';

  const finish = (error: string | undefined) => {
    // Should the proxy close it now, the next request finds out.
    exchange.receive = (bytes) => (exchange.stale ||= bytes === undefined);
    if (error !== undefined || !keeps) exchange.close();
    done(error, error === undefined && keeps ? exchange : undefined);
  };
  const readHead = (): string | undefined => {
    if (!head.startsWith(`HTTP/1.1 ${status}`) && !head.startsWith(`HTTP/1.0 ${status}`)) return head.slice(0, head.indexOf('\r\n'));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length !== undefined && Number(length) !== size) return `Content-Length: ${length}`;
    if (length !== undefined) left = size;
    chunked = /\r\ntransfer-encoding: *chunked/i.test(head);
    if (/\r\nconnection: *close/i.test(head) || (head.startsWith('HTTP/1.0') && !/keep-alive/i.test(head))) keeps = false;
    return undefined;
  };
  return (bytes) => {
    if (bytes === undefined) {
      const whole = reading && left === Infinity && !chunked;
      keeps = false;
      return finish(whole ? undefined : reused && head === '' ? STALE : 'connection closed');
    }
    let body = bytes;
    if (!reading) {
      head += bytes.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return;
      body = bytes.subarray(bytes.length - (head.length - end - 4));
      head = head.slice(0, end + 4);
      reading = true;
      const refused = readHead();
      if (refused !== undefined) return finish(refused);
    }
    left -= body.length;
    if (chunked) {
      tail = (tail + body.subarray(-5).toString('latin1')).slice(-5);
      if (tail === '0\r\n\r\n') finish(undefined);
    } else if (left <= 0) finish(left < 0 ? 'bytes after the answer' : undefined);
  };
}
