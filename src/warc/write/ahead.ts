/**
 * Large blocks on their way: each is written to the end of a WARC file while it comes, and is no record before its head is filled in.
 *
 * Until then the file is that block's alone, and ends in what a repair cuts off: a head that announces more than any file has. What is not
 * taken for a record is cut off at once. Every step but the block's bytes is taken in the pool's turn.
 */
import { reasonOf } from '../../util/thrown.ts';
import type { Log } from '../../util/log.ts';
import type { SpoolPlace } from '../../util/spool-place.ts';
import type { Turns } from '../../util/turns.ts';
import type { Encoder } from '../codec/codec.ts';
import type { WrittenRecord } from '../record.ts';
import { isSafePrefix } from './filename.ts';
import type { OpenFiles, OpenWriter } from './open-files.ts';
import type { OutputOptions } from './output.ts';
import type { PrefixedRecords } from './pool.ts';

export interface BlocksAheadOptions {
  readonly encoder: Encoder;
  readonly files: OpenFiles;
  readonly turns: Turns;
  readonly output: OutputOptions;
  readonly maxBytes: number;
  readonly maxOpenFiles: number;
  /** so many bytes more are in a file, and stay */
  readonly onWritten: (bytes: number) => void;
  /** a file could not be cut back */
  readonly onFailure: (error: unknown) => void;
  readonly log: Log;
}

/** At once, as each has a file for itself; and no more than half of those that may be open. */
const MAX_BLOCKS = 32;
/** A head has so many bytes besides its URL. */
const HEAD_BYTES = 1024;
const MAX_URL_BYTES = 4096;
/** A prefix that stands for "archive nothing". */
const NO_PREFIX = '-';

class BlockAhead implements SpoolPlace {
  readonly fd: number;
  readonly start: number;
  readonly open: OpenWriter;
  /** bytes for the head in front of it */
  readonly room: number;
  readonly release: () => void;

  /** @param onReleased nothing of it is read or written any more */
  constructor(open: OpenWriter, start: number, room: number, onReleased: (block: BlockAhead) => void) {
    this.open = open;
    this.start = start;
    this.room = room;
    this.fd = open.writer.hold();
    this.release = () => onReleased(this);
  }
}

export class BlocksAhead {
  readonly #options: BlocksAheadOptions;
  /** that have not become a record, nor been given up */
  readonly #blocks = new Set<SpoolPlace>();
  readonly #maxBlocks: number;

  constructor(options: BlocksAheadOptions) {
    this.#options = options;
    this.#maxBlocks = Math.min(MAX_BLOCKS, Math.floor(options.maxOpenFiles / 2));
  }

  /**
   * @param url of the record that it may become
   * @returns undefined where a temporary file has to do
   */
  async begin(prefix: string, url: string): Promise<SpoolPlace | undefined> {
    const { encoder, output, files, onWritten, log } = this.#options;
    const { ahead } = encoder;
    // Nobody repairs a file without the suffix by himself.
    if (ahead === undefined || !output.openSuffix || prefix === NO_PREFIX || !isSafePrefix(prefix)) return undefined;
    if (url.length > MAX_URL_BYTES || this.#blocks.size >= this.#maxBlocks) return undefined;
    const room = HEAD_BYTES + url.length;
    let open: OpenWriter | undefined;
    try {
      open = await files.lend(prefix);
      const { writer } = open;
      const before = writer.size;
      const start = await writer.beginAhead(ahead, room);
      onWritten(start - room - before);
      const block = new BlockAhead(open, start, room, (it) => void this.#released(it));
      this.#blocks.add(block);
      return block;
    } catch (error) {
      if (open !== undefined) files.forgetLent(open);
      log.warn({ err: error }, `a large body goes to a temporary file: ${reasonOf(error)}`);
      return undefined;
    }
  }

  /**
   * Make the block of a capture a record, and append what stands beside it.
   *
   * @returns undefined where it is not in its file already, or has another head than there is room for
   * @throws WarcWriteError when any byte may be missing
   */
  async finish(capture: PrefixedRecords): Promise<readonly WrittenRecord[] | undefined> {
    const { encoder, files, onWritten } = this.#options;
    const { prefix, once } = capture;
    const [principal] = capture.records;
    const block = principal?.block.place;
    if (principal === undefined || !(block instanceof BlockAhead) || !this.#blocks.has(block) || block.open.prefix !== prefix)
      return undefined;
    const head = encoder.ahead?.head(principal.head, block.room);
    if (encoder.ahead === undefined || head === undefined) return undefined;
    const { open } = block;
    const { writer, index } = open;
    this.#blocks.delete(block);
    const records = once !== undefined && writer.first(once.key) ? [...capture.records, ...once.make()] : capture.records;
    const before = block.start - block.room;
    try {
      const places = await writer.finishAhead(encoder.ahead, head, records);
      await index?.add([records], [places]);
      await this.#giveBack(open);
      onWritten(writer.size - before);
      return places;
    } catch (error) {
      files.forgetLent(open);
      throw error;
    }
  }

  /** All that are left: nothing will be written any more. */
  async giveUp(): Promise<void> {
    for (const block of this.#blocks) if (block instanceof BlockAhead) await this.#cutOff(block);
  }

  async #released(block: BlockAhead): Promise<void> {
    const { turns } = this.#options;
    if (this.#blocks.has(block)) await turns.run(() => this.#cutOff(block));
    await block.open.writer.letGo();
  }

  async #cutOff(block: BlockAhead): Promise<void> {
    if (!this.#blocks.delete(block)) return;
    try {
      await block.open.writer.cutBack();
      await this.#giveBack(block.open);
    } catch (error) {
      this.#options.files.forgetLent(block.open);
      this.#options.onFailure(error);
    }
  }

  async #giveBack(open: OpenWriter): Promise<void> {
    const { files, maxBytes } = this.#options;
    files.giveBack(open);
    if (open.writer.size > maxBytes) await files.closeOne(open);
  }
}
