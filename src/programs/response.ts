/**
 * The answer to `Core.fetch`: its head, its body to be read once, and what has become of it in the archive.
 */
import type { ResponseHead } from '../http/message.ts';
import type { Archived } from './expected.ts';
import type { InnerClient } from './inner-client.ts';

export class FetchedResponse {
  /** as archived: without fragment and user info, percent-encoded */
  readonly url: string;
  readonly status: number;
  /** Latin-1; empty when it is missing */
  readonly reason: string;
  /** in the order and spelling in which they came, values as Latin-1 */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /**
   * Resolves when the capture has left the chain: its records are in their files then, and `records` says where. It waits for the body to be
   * read, or cancelled.
   *
   * @throws Error when the core was closed before (rejects with it)
   */
  readonly archived: Promise<Archived>;
  readonly #client: InnerClient;

  constructor(url: string, { status, reason, fields }: ResponseHead, client: InnerClient, archived: Promise<Archived>) {
    this.url = url;
    this.status = status;
    this.reason = reason;
    this.headers = fields.list.map(({ name, value }) => [name, value] as const);
    this.#client = client;
    this.archived = archived;
  }

  /** Value of the first header of this name, in whatever case. */
  header(name: string): string | undefined {
    return this.headers.find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1];
  }

  /**
   * The body without transfer-coding, in pieces as they come; content-codings (gzip …) are as the origin sent them. To be read once; what is
   * left unread holds the origin back. Who stops reading lets go of it, as `cancel` does.
   *
   * @throws FetchError when it breaks off: what has come is archived, marked as truncated
   */
  get body(): AsyncIterable<Buffer> {
    return this.#client.pieces();
  }

  /** The whole body. @throws FetchError as `body`; RangeError past `maxBytes` */
  async bytes(maxBytes = Infinity): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let size = 0;
    for await (const piece of this.body) {
      size += piece.length;
      if (size > maxBytes) throw new RangeError(`the body of ${this.url} is larger than ${maxBytes} bytes`);
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }

  /** Read no more of it. The origin's answer is fetched as far as `finishAbandoned` says, not at all with `cutsOff`, and archived. */
  cancel(reason: unknown = new Error('cancelled')): void {
    this.#client.leave(reason);
  }
}
