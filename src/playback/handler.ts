/**
 * The playback proxy's road of a request, behind log-in and CONNECT: what its body says is part of what it asks for, then it is answered out of
 * the archive.
 *
 *   body ──► key ──► playback ──► head and body, as fast as the client takes them
 *   handshake ──► websocket.ts ──► 101 and messages, at their times
 */
import { plainAnswer } from '../http/answer.ts';
import { MessageError } from '../http/errors.ts';
import { FetchError } from '../http/fetch-error.ts';
import { hasNoBody, RequestKey } from '../http/request-key.ts';
import { AS_IT_IS, type ClientRequest, type ClientSide, type ClientTunnel, type Handler, type RequestBody } from '../http/sides.ts';
import { recordUri } from '../http/record-uri.ts';
import { absoluteTarget, tunnelTarget } from '../http/target.ts';
import type { RequestHead } from '../http/message.ts';
import { asksForWebSocket } from '../http/websocket.ts';
import { viewerOf, type Moments } from '../store/moments.ts';
import type { Log } from '../util/log.ts';
import { reasonOf } from '../util/thrown.ts';
import type { Playback, PlaybackAnswer } from './answer.ts';
import type { WebSocketPlayback } from './websocket.ts';
import { IncompleteError } from '../warc/read/message.ts';

export interface PlaybackHandlerOptions {
  readonly playback: Playback;
  /** of handshakes; without it they are asked for as pages are */
  readonly webSockets?: WebSocketPlayback;
  /** those that people have chosen to look at; without it all look at the latest */
  readonly moments?: Moments;
  readonly log: Log;
}

export interface PlaybackHandler {
  readonly handler: Handler;
  /** Resolves when the files of all answers that are under way now have been let go of. */
  settled(): Promise<void>;
}

export function playbackHandler(options: PlaybackHandlerOptions): PlaybackHandler {
  const running = new Set<Promise<void>>();
  const run = (played: Promise<void>) => {
    running.add(played);
    void played.finally(() => running.delete(played));
  };
  return {
    handler: (request, client) => {
      if (options.webSockets !== undefined && asksForWebSocket(request.head, request.hasBody))
        return run(options.webSockets(request, client));
      const playing = new Playing(options, request, client, run);
      client.serve(playing);
      if (!request.hasBody || !request.expectsContinue) return;
      // A client that waits to be asked for a body that has no meaning gets its answer instead.
      if (hasNoBody(request.head.method)) playing.endRequest();
      else client.askForBody();
    },
    settled: async () => {
      await Promise.all(running);
    },
  };
}

class Playing implements RequestBody {
  readonly #options: PlaybackHandlerOptions;
  readonly #request: ClientRequest;
  readonly #client: ClientSide;
  readonly #url: string;
  readonly #key: RequestKey;
  readonly #started: (played: Promise<void>) => void;
  #begun = false;
  #gone = false;
  #wake: (() => void) | undefined;

  /** @throws MessageError for a target that could not be archived */
  constructor(options: PlaybackHandlerOptions, request: ClientRequest, client: ClientSide, started: (played: Promise<void>) => void) {
    this.#options = options;
    this.#request = request;
    this.#client = client;
    this.#url = urlOf(request.head, request.tunnel);
    this.#key = new RequestKey(request.head.method, request.head.fields.get('content-type'));
    this.#started = started;
  }

  write(_bytes: Buffer, payload: readonly Buffer[]): boolean {
    if (!hasNoBody(this.#request.head.method)) for (const piece of payload) this.#key.update(piece);
    return true;
  }

  endRequest(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#started(this.#play());
  }

  clientGone(): void {
    this.#gone = true;
    this.#wake?.();
  }

  resumeResponse(): void {
    this.#wake?.();
  }

  /** Never rejects. */
  async #play(): Promise<void> {
    const { playback, moments, log } = this.#options;
    const { method, minor, fields } = this.#request.head;
    const url = this.#url;
    let found: PlaybackAnswer | undefined;
    try {
      const chosen = await moments?.of(viewerOf(this.#client.address, fields.get('user-agent')));
      found = await playback({ method, url, minor, fields, key: this.#key.finish(), chosen });
    } catch (error) {
      if (error instanceof MessageError) return this.#client.refuse(error);
      log.error({ err: error }, 'playback of a request failed');
      return this.#client.answer(plainAnswer(500, 'the archive cannot be read'), true);
    }
    log.debug({ method, url, status: found?.head.status ?? 404 }, 'played back');
    if (found === undefined) return this.#client.answer(plainAnswer(404, '404 Not in Archive'));
    try {
      await this.#send(found);
    } catch (error) {
      if (!(error instanceof IncompleteError)) log.error({ url, err: error }, 'playback broke off');
      this.#client.fail(new FetchError('invalid-response', reasonOf(error)), undefined);
    } finally {
      await found.release().catch((error: unknown) => log.error({ url, err: error }, 'a file that was played back could not be closed'));
    }
  }

  /** @throws what the body throws */
  async #send({ head, framing, last, body }: PlaybackAnswer): Promise<void> {
    const { hasBody, expectsContinue } = this.#request;
    const unread = hasBody && expectsContinue && hasNoBody(this.#request.head.method);
    this.#client.head(head, framing, { ...AS_IT_IS, last: last || unread });
    for await (const { bytes, payload } of body) {
      if (this.#hasLeft()) return;
      if (!this.#client.body(bytes, payload)) await this.#drained();
    }
    if (!this.#hasLeft()) this.#client.end(undefined, true);
  }

  #hasLeft(): boolean {
    return this.#gone;
  }

  /** Resolves when the client takes more, or never will. */
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#gone) resolve();
      else this.#wake = resolve;
    });
  }
}

/** The URL under which it would be archived; custom records may have any URI. */
function urlOf({ method, target }: RequestHead, tunnel: ClientTunnel | undefined): string {
  if (tunnel !== undefined) return tunnelTarget(tunnel, method, target).url;
  return /^(?!http:)[a-z][a-z0-9+.-]*:./i.test(target) ? recordUri(target) : absoluteTarget(method, target).url;
}
