/**
 * An origin that sees how HTTP/2 is begun with it, and the fingerprint by which servers tell clients apart.
 *
 * Source: Akamai, "Passive Fingerprinting of HTTP/2 Clients" (Black Hat EU 2017): settings | window | priorities | pseudo-header fields;
 * RFC 9113 §4.1, §6.5, §6.9; RFC 7541 §6 and appendix A.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { testCertificate } from './certificate.ts';
import { FLAG, frame, framesOf, PREFACE, TYPE, type Frame } from './http2-frames.ts';

export interface AkamaiOrigin extends AsyncDisposable {
  readonly port: number;
  /** one for each connection, in the order of their first requests */
  readonly seen: readonly string[];
}

/** It speaks h2, answers 204 to everything, and never closes by itself. */
export async function startAkamaiOrigin(): Promise<AkamaiOrigin> {
  const seen: string[] = [];
  const sockets = new Set<{ destroy(): unknown }>();
  const server = createServer({ ...(await testCertificate()), ALPNProtocols: ['h2'] }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.write(frame(TYPE.settings, 0, 0));
    let bytes = Buffer.alloc(0);
    let begun = 0;
    const before: Frame[] = [];
    socket.on('data', (more: Buffer) => {
      bytes = Buffer.concat([bytes, more]);
      if (bytes.length < PREFACE.length) return;
      if (begun === 0) begun = PREFACE.length;
      const { frames, length } = framesOf(bytes.subarray(begun));
      begun += length;
      for (const each of frames) {
        if (each.type === TYPE.settings && (each.flags & FLAG.ack) === 0) socket.write(frame(TYPE.settings, FLAG.ack, 0));
        if (each.type === TYPE.headers) {
          if (each.stream === 1) seen.push(akamai([...before, each]));
          socket.write(frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, each.stream, Buffer.from([0x89])));
        }
        before.push(each);
      }
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Of the first frames of a connection, up to the head of its first request. */
function akamai(frames: readonly Frame[]): string {
  const settings = frames.find(({ type }) => type === TYPE.settings)?.payload ?? Buffer.alloc(0);
  const said: string[] = [];
  for (let at = 0; at < settings.length; at += 6) said.push(`${settings.readUInt16BE(at)}:${settings.readUInt32BE(at + 2)}`);
  const window = frames.find(({ type, stream }) => type === TYPE.window && stream === 0)?.payload.readUInt32BE() ?? 0;
  const priorities = frames.filter(({ type }) => type === TYPE.priority).map(({ stream }) => stream);
  const head = frames.at(-1);
  const order = head === undefined ? [] : pseudoNames(head);
  return [said.join(';'), window === 0 ? '00' : window, priorities.length === 0 ? 0 : priorities.join(), order.join()].join('|');
}

const PRIORITY = 0x20;
const PADDED = 8;
/** By their places in the static table. */
const NAMES: Readonly<Record<number, string>> = { 1: 'a', 2: 'm', 3: 'm', 4: 'p', 5: 'p', 6: 's', 7: 's' };

/** Pseudo-header fields of the first head of a connection, which all have a place in the static table, without decoding any value. */
function pseudoNames({ flags, payload }: Frame): readonly string[] {
  let at = ((flags & PADDED) === 0 ? 0 : 1) + ((flags & PRIORITY) === 0 ? 0 : 5);
  const integer = (bits: number): number => {
    const most = 2 ** bits - 1;
    let value = (payload[at++] ?? 0) & most;
    if (value < most) return value;
    for (let shift = 1; ; shift *= 128) {
      const byte = payload[at++] ?? 0;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  const skipText = () => {
    const length = integer(7);
    at += length;
  };
  const names: string[] = [];
  while (at < payload.length) {
    const first = payload[at] ?? 0;
    if (first >= 0x80) names.push(NAMES[integer(7)] ?? '');
    else if (first >= 0x20 && first < 0x40) integer(5);
    else {
      const index = integer(first >= 0x40 ? 6 : 4);
      if (index === 0) skipText();
      skipText();
      names.push(NAMES[index] ?? '');
    }
  }
  return names.filter((name) => name !== '');
}
