/**
 * The origin of a soak: answers by the plan, and compares what it receives with it byte for byte.
 */
import { once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { setTimeout as delay } from 'node:timers/promises';
import { testCertificate } from '../support/certificate.ts';
import type { Plan, Ports, Step } from './plan.ts';

export interface SoakOrigin extends AsyncDisposable {
  readonly ports: Ports;
  /** steps whose whole answer was written */
  readonly served: ReadonlySet<number>;
  /** to be called once before the first request */
  follow(plan: Plan, report: (fault: string) => void): void;
  closeConnections(): void;
}

const NOT_TLS = 'HTTP/1.0 400 Bad Request\r\n\r\n';

export async function startSoakOrigin(): Promise<SoakOrigin> {
  const sockets = new Set<Socket>();
  const served = new Set<number>();
  let plan: Plan | undefined;
  let report: (fault: string) => void = () => undefined;

  const answer = async (socket: Socket, step: Step): Promise<void> => {
    const { bytes, interim, cutAt } = plan!.answer(step);
    if (interim !== '') socket.write(interim);
    if (step.answering === 'late') await delay(100 + (step.index % 400));
    const sent = cutAt === undefined ? bytes : bytes.subarray(0, cutAt);
    const pieces = step.answering === 'dribble' ? 8 : 1;
    const size = Math.max(1, Math.ceil(sent.length / pieces));
    for (let at = 0; at < sent.length; at += size) {
      if (at > 0) await delay(20);
      await new Promise((resolve) => socket.write(sent.subarray(at, at + size), resolve));
    }
    if (socket.destroyed) return;
    served.add(step.index);
    if (step.answering === 'reset') abort(socket);
    else if (cutAt !== undefined) socket.end();
  };

  const serve = (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let pieces: Buffer[] = [];
    let length = 0;
    let expected: { step: Step; bytes: Buffer } | undefined;
    socket.on('data', (piece: Buffer) => {
      pieces.push(piece);
      length += piece.length;
      if (expected === undefined) {
        const received = Buffer.concat(pieces);
        const headEnd = received.indexOf('\r\n\r\n');
        if (headEnd === -1) return;
        const head = received.toString('latin1', 0, headEnd);
        const step = plan?.step(Number(/^\w+ \/(\d+)\//.exec(head)?.[1]));
        if (step === undefined) {
          report(`the origin received ${JSON.stringify(head)}`);
          return void socket.destroy();
        }
        expected = { step, bytes: plan!.received(step) };
        if (step.upload?.kind === 'expect') socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      }
      if (length < expected.bytes.length) return;
      const received = Buffer.concat(pieces);
      const { step, bytes } = expected;
      if (!received.equals(bytes)) report(`${step.url}: the origin received other bytes: ${differing(received, bytes)}`);
      pieces = [];
      length = 0;
      expected = undefined;
      void answer(socket, step);
    });
  };

  const servers: Server[] = [
    createTcpServer({ noDelay: true }, serve),
    createTlsServer(await testCertificate(), serve),
    createTcpServer((socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      socket.once('data', () => socket.end(NOT_TLS));
    }),
    createTcpServer(),
  ];
  const ports: number[] = [];
  for (const server of servers) {
    server.on('tlsClientError', () => undefined);
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
    await once(server, 'listening');
    ports.push((server.address() as AddressInfo).port);
  }
  const closed = servers.pop()!;
  closed.close();
  await once(closed, 'close');
  const [http = 0, https = 0, notTls = 0, refusing = 0] = ports;
  const closeConnections = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    ports: { http, https, notTls, refusing },
    served,
    follow: (followed, told) => {
      plan = followed;
      report = told;
    },
    closeConnections,
    async [Symbol.asyncDispose]() {
      const ended = servers.map((server) => once(server, 'close'));
      for (const server of servers) server.close();
      closeConnections();
      await Promise.all(ended);
    },
  };
}

/** With a reset where that is possible. */
function abort(socket: Socket): void {
  if ('encrypted' in socket) socket.destroy();
  else socket.resetAndDestroy();
}

/** Where two byte strings begin to differ, with what stands there. */
export function differing(found: Buffer, expected: Buffer): string {
  let at = 0;
  while (at < found.length && at < expected.length && found[at] === expected[at]) at++;
  const show = (bytes: Buffer) => JSON.stringify(bytes.toString('latin1', Math.max(0, at - 20), at + 40));
  return `${found.length} bytes instead of ${expected.length}, different from byte ${at} on: ${show(found)} instead of ${show(expected)}`;
}
