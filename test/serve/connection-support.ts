/**
 * A client and a connection of the proxy's that serves it with a made-up handler, and what such handlers have in common.
 */
import type { Framing } from '../../src/http/message.ts';
import { AS_IT_IS, type AnswerForm, type ClientRequest, type ClientSide, type Handler } from '../../src/http/sides.ts';
import type { ListenerOptions } from '../../src/serve/listener.ts';
import { RawClient } from '../support/client.ts';
import { bodySink, responseHead } from '../support/client-side.ts';
import { startListening, type Listening } from '../support/listening.ts';
import { ok } from '../support/messages.ts';

export const LENGTH_2: Framing = { kind: 'length', length: 2 };
export const OK_HEAD = responseHead(200, 'OK', ['Content-Length', '2']);
export const GET = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n';
export const POST = 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n';

/** An answer of an origin, as an exchange passes it on. */
export function passOn(client: ClientSide, form: AnswerForm = AS_IT_IS, exact = true): void {
  client.head(OK_HEAD, LENGTH_2, form);
  client.body(Buffer.from('ok'), []);
  client.flush();
  client.end(undefined, exact);
}

/** Serve each request when it is complete. */
export const whole =
  (answer: (client: ClientSide, request: ClientRequest) => void): Handler =>
  (request, client) =>
    client.serve(bodySink({ endRequest: () => answer(client, request) }));

export async function connected(
  handler: Handler,
  options: Partial<ListenerOptions> = {},
): Promise<{ listening: Listening; client: RawClient } & AsyncDisposable> {
  const listening = await startListening(handler, options);
  const client = await RawClient.connect(listening.port);
  return {
    listening,
    client,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await listening[Symbol.asyncDispose]();
    },
  };
}

export const text = (bytes: Buffer): string => bytes.toString('latin1');
/** The answer of `passOn`, where the connection ends after it. */
export const CLOSING = ok('ok').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
