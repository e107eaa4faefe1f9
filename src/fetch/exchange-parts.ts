/**
 * What an exchange is given: its request, its client, and what it works with.
 */
import type { Capture } from '../capture/capture.ts';
import type { RecordingOptions } from '../capture/recorder.ts';
import type { AnswerForm, ClientSide } from '../http/sides.ts';
import type { Meta } from '../meta/meta.ts';
import type { MinimumRateOptions } from '../util/minimum-rate.ts';
import type { Connect } from './origin.ts';
import type { OutgoingRequest } from './origin-connection.ts';
import type { OriginPool } from './pool.ts';

/** A request that may be sent. */
export interface ExchangeRequest {
  readonly outgoing: OutgoingRequest;
  readonly referer: string | undefined;
  readonly meta: Meta;
  readonly warcPrefix: string;
  /** how the answer is passed on. @param startedAt the WARC-Date of its records */
  readonly form: (startedAt: Date) => AnswerForm;
  /** WARC-Record-ID of its principal record; a new one by default */
  readonly recordId?: string | undefined;
}

export interface ExchangeServices {
  readonly connect: Connect;
  readonly pool: OriginPool;
  readonly recording: RecordingOptions;
  readonly now: () => Date;
  /** `<urn:uuid:…>`, a new one at each call */
  readonly newRecordId: () => string;
  /** takes the capture over; the promise is back-pressure */
  readonly sink: (capture: Capture) => Promise<void> | undefined;
  /** bytes of a response after which its download is stopped; 0 is no limit */
  readonly maxResourceBytes: number;
  /** of a response that has begun */
  readonly minRate: MinimumRateOptions;
}

/** What an exchange needs of its client. */
export type ExchangeClient = Pick<ClientSide, 'interim' | 'head' | 'body' | 'flush' | 'end' | 'fail' | 'resumeRequest'> &
  Partial<Pick<ClientSide, 'address' | 'port'>>;

/** What every capture of an exchange has, made when it ends. */
export function capturedOf(
  { outgoing, referer, meta, warcPrefix, recordId }: ExchangeRequest,
  { now, newRecordId }: ExchangeServices,
  startedAt: Date,
) {
  return {
    recordId: recordId ?? newRecordId(),
    url: outgoing.target.url,
    method: outgoing.method,
    startedAt,
    durationMs: now().getTime() - startedAt.getTime(),
    referer,
    meta,
    warcPrefix,
  };
}
