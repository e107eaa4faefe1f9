/**
 * A WebSocket from its 101 to its end: bytes go both ways, a tap reads along, and what it has read is handed over at last.
 *
 * Source: RFC 6455.
 */
import { performance } from 'node:perf_hooks';
import type { RecordedMessages } from '../capture/capture.ts';
import { MessageTap } from '../capture/message-tap.ts';
import type { RecordingOptions } from '../capture/recorder.ts';
import type { ResponseHead } from '../http/message.ts';
import type { Upgraded } from '../http/sides.ts';
import type { Log } from '../util/log.ts';
import { deflateOf } from '../http/websocket.ts';
import { Relay } from './relay.ts';

export interface WebSocketOptions {
  /** bytes of the messages that are kept; 0 is no limit */
  readonly maxBytes: number;
  /** time without a byte either way; 0 is none */
  readonly idleMs: number;
  /** the same once one side has ended */
  readonly lingerMs: number;
  readonly log: Log;
}

/** What it was, once it is over. */
export interface WebSocketEnd {
  readonly messages: RecordedMessages;
  readonly receivedBytes: number;
}

export interface OpenWebSocket {
  readonly url: string;
  /** the 101 */
  readonly head: ResponseHead;
  readonly client: Upgraded;
  readonly origin: Upgraded;
  readonly recording: RecordingOptions;
}

/** Of it, and of each message: a browser holds many WebSockets for long, and most say little. */
const MAX_MEMORY_BYTES = 64 * 1024;

export function relayWebSocket(
  { url, head, client, origin, recording }: OpenWebSocket,
  { maxBytes, idleMs, lingerMs, log }: WebSocketOptions,
  onEnd: (end: WebSocketEnd) => void,
): Pick<Relay, 'cut'> {
  const sinceMs = performance.now();
  const nowMs = () => performance.now() - sinceMs;
  let receivedBytes = 0;
  const { spool } = recording;
  const tap = new MessageTap({
    recording: { ...recording, spool: { ...spool, maxMemoryBytes: Math.min(spool.maxMemoryBytes, MAX_MEMORY_BYTES) } },
    maxBytes: maxBytes === 0 ? Infinity : maxBytes,
    deflate: deflateOf(head),
    nowMs,
    onDrain: () => relay.release(),
    onFailure: (reason) => log.warn({ url }, `messages of a WebSocket are missing in the archive: ${reason}`),
  });
  const relay: Relay = new Relay(client, origin, {
    idleMs,
    lingerMs,
    watch: (from, bytes) => {
      if (from === 'origin') receivedBytes += bytes.length;
      return tap.take(from, bytes);
    },
    onOver: (by, cut) => {
      void tap
        .finish(nowMs(), by)
        .then((messages) => onEnd({ messages: { ...messages, truncated: messages.truncated ?? cut }, receivedBytes }));
    },
  });
  return relay;
}
