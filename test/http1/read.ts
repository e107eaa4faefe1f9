/** Helpers of the tests of http1: bytes from text, and whole messages read from pieces. */
import type { Framing, RequestHead, ResponseHead } from '../../src/http/message.ts';
import type { ClientRequest, ClientTunnel } from '../../src/http/sides.ts';
import { bodyReader } from '../../src/http1/body.ts';
import { MessageError } from '../../src/http/errors.ts';
import { requestFraming, responseFraming } from '../../src/http1/framing.ts';
import { HeadReader, leadingEmptyLines, parseRequestHead, parseResponseHead } from '../../src/http1/head.ts';

/** Latin-1, as everywhere in http1. */
export const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

export const requestHead = (fields: string, line = 'GET http://example.com/ HTTP/1.1'): RequestHead =>
  parseRequestHead(bytes(`${line}\r\n${fields}\r\n`));

export const responseHead = (fields: string, line = 'HTTP/1.1 200 OK'): ResponseHead =>
  parseResponseHead(bytes(`${line}\r\n${fields}\r\n`));

/** A request as a connection hands it on. */
export function clientRequest(head: RequestHead, tunnel?: ClientTunnel): ClientRequest {
  const framing = requestFraming(head);
  return { head, framing, hasBody: !bodyReader(framing, true).done, expectsContinue: false, tunnel };
}

/** For assert.throws: a MessageError with exactly this text. */
export const refusal = (message: string, code = 'syntax') => ({ name: 'MessageError', message, code });

export type Side = 'request' | { readonly answerTo: string };

/** What a connection sees of one message, everything as text so that it can be compared. */
export interface Read {
  head: string;
  framing: Framing | undefined;
  body: string;
  payload: string;
  done: boolean;
  after: string;
  error: string | undefined;
}

/** Read one message from pieces, as the connections of the proxy do. */
export function readMessage(pieces: readonly Buffer[], side: Side): Read {
  const read: Read = { head: '', framing: undefined, body: '', payload: '', done: false, after: '', error: undefined };
  const heads = new HeadReader();
  let body: ReturnType<typeof bodyReader> | undefined;
  try {
    for (const piece of pieces) {
      let rest = piece;
      if (body === undefined) {
        if (heads.pending === 0) rest = rest.subarray(leadingEmptyLines(rest));
        const found = heads.push(rest);
        if (found === undefined) continue;
        read.head = found.head.toString('latin1');
        read.framing =
          side === 'request' ? requestFraming(parseRequestHead(found.head)) : responseFraming(parseResponseHead(found.head), side.answerTo);
        body = bodyReader(read.framing, side === 'request');
        rest = found.rest;
      }
      const payload: Buffer[] = [];
      const end = body.read(rest, 0, payload);
      if (end < rest.length && !body.done) throw new Error('bytes left over by a body that is not done');
      read.body += rest.toString('latin1', 0, end);
      read.payload += Buffer.concat(payload).toString('latin1');
      read.done = body.done;
      read.after += rest.toString('latin1', end);
    }
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    read.error = error.message;
  }
  return read;
}

export function byteByByte(whole: Buffer): Buffer[] {
  return Array.from(whole, (byte) => Buffer.of(byte));
}
