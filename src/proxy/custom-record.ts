/**
 * `WARCPROX_WRITE_RECORD`: a client sends a record, and is answered when it is in the file.
 *
 * Source: spec/warcprox.md §8; record types of ISO 28500:2017 §6.
 */
import { performance } from 'node:perf_hooks';
import type { Framing, RequestHead } from '../http/message.ts';
import type { CustomRecordCapture } from '../capture/capture.ts';
import { newOutcome } from '../capture/kinds.ts';
import { BlockRecorder, type RecordingOptions } from '../capture/recorder.ts';
import { MessageError } from '../http/errors.ts';
import { METADATA_METHOD, recordUri } from '../http/record-uri.ts';
import type { Meta } from '../meta/meta.ts';
import { plainAnswer, type Answer } from '../http/answer.ts';
import { reasonOf } from '../util/thrown.ts';
import type { SpoolHolder } from '../util/spool.ts';
import type { ClientSide, RequestBody } from '../http/sides.ts';

const RECORD_TYPES = ['warcinfo', 'response', 'resource', 'request', 'metadata', 'revisit', 'conversion', 'continuation'];

/** What a client is answered when its record is in the file. */
export const RECORDED = 204;

/** No room would be enough for its record. */
export const TOO_LARGE = plainAnswer(413, 'record not written: it is larger than temporary files may be (--max-spool)');

/** What a client wants written, but for the bytes. */
export interface RecordDraft {
  readonly method: string;
  /** as `recordUri` makes it of the request target */
  readonly url: string;
  readonly warcType: string;
  readonly contentType: string;
  readonly referer: string | undefined;
}

export interface RecordServices {
  readonly recording: RecordingOptions;
  readonly now: () => Date;
  readonly newRecordId: () => string;
  /** Resolves when the capture has left the chain. */
  readonly record: (capture: CustomRecordCapture) => Promise<void>;
}

/** What a record needs of its client. */
export type RecordClient = Pick<ClientSide, 'answer' | 'resumeRequest'>;

/** @throws MessageError that names the field which is missing or wrong */
export function recordDraft(head: RequestHead, framing: Framing): RecordDraft {
  const { method, target, fields } = head;
  const url = recordUri(target);
  const warcType = fields.get('warc-type') ?? (method === METADATA_METHOD ? 'metadata' : undefined);
  if (warcType === undefined) throw new MessageError('syntax', `${method} without WARC-Type`);
  if (!RECORD_TYPES.includes(warcType)) {
    throw new MessageError('syntax', `WARC-Type not known, expected one of ${RECORD_TYPES.join(', ')}`, warcType);
  }
  const contentType = fields.get('content-type');
  if (contentType === undefined || contentType === '') throw new MessageError('syntax', `${method} without Content-Type`);
  if (framing.kind === 'none') throw new MessageError('syntax', `${method} without Content-Length`);
  return { method, url, warcType, contentType, referer: fields.get('referer') };
}

/** Takes the bytes of one record. */
export class CustomRecord implements RequestBody, SpoolHolder {
  readonly #services: RecordServices;
  readonly #draft: RecordDraft;
  readonly #meta: Meta;
  readonly #warcPrefix: string;
  readonly #startedAt: Date;
  readonly #startedMs = performance.now();
  readonly #recorder: BlockRecorder;
  #client: RecordClient | undefined;
  /** the chain has the bytes, and lets go of them */
  #handedOver = false;

  constructor(services: RecordServices, draft: RecordDraft, meta: Meta, warcPrefix: string, client: RecordClient) {
    this.#services = services;
    this.#draft = draft;
    this.#meta = meta;
    this.#warcPrefix = warcPrefix;
    this.#client = client;
    this.#startedAt = services.now();
    this.#recorder = new BlockRecorder(services.recording, this);
  }

  write(_bytes: Buffer, payload: readonly Buffer[]): boolean {
    let ready = true;
    for (const slice of payload) ready = this.#recorder.write(slice);
    if (!ready) this.#recorder.bytes.onDrain(() => this.#client?.resumeRequest());
    return ready;
  }

  endRequest(): void {
    this.#handedOver = true;
    const capture: CustomRecordCapture = Object.freeze({
      kind: 'custom',
      ...this.#draft,
      recordId: this.#services.newRecordId(),
      startedAt: this.#startedAt,
      durationMs: Math.round(performance.now() - this.#startedMs),
      meta: this.#meta,
      warcPrefix: this.#warcPrefix,
      block: this.#recorder.finish(),
      outcome: newOutcome(true),
    });
    this.#services.record(capture).then(
      () => this.#client?.answer(answerTo(capture)),
      (error: unknown) => this.#client?.answer(plainAnswer(503, `record not written: ${reasonOf(error)}`)),
    );
  }

  clientGone(): void {
    this.#client = undefined;
    if (!this.#handedOver) this.#recorder.bytes.release();
  }

  onFull(alone: boolean): void {
    this.#recorder.bytes.release();
    const answer = alone ? TOO_LARGE : plainAnswer(503, 'record not written: too little space is left for temporary files');
    this.#client?.answer(answer, true);
  }

  resumeResponse(): void {
    // The answer is short; nothing waits for the client.
  }
}

/** 204 for what is in the file, and for what was not to be archived: by its prefix, by the client's MIME filters, by a plugin. */
function answerTo({ outcome, block }: CustomRecordCapture): Answer {
  if (block.bytes.error !== undefined) return plainAnswer(503, 'record not written: see the log of the proxy');
  if (outcome.archive && outcome.records === undefined) {
    return plainAnswer(503, 'record not written: the archive cannot be written any more');
  }
  return { status: RECORDED, contentType: '', body: '' };
}
