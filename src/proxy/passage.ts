/**
 * The part of a request's road that all take, whoever asks: a client of the proxy, or a program in this process.
 *
 *   gate ──► still open? ──► record: the archive
 *                       └──► fetch: admission ──► exchange
 *
 * Source: spec/warcprox.md §5 (order of enforcement).
 */
import type { Admission } from '../fetch/admission.ts';
import { noRoom } from '../fetch/exchange-parts.ts';
import type { OutgoingRequest } from '../fetch/origin-connection.ts';
import { FetchError } from '../http/fetch-error.ts';
import type { Fields } from '../http/fields.ts';
import type { AnswerForm, ClientSide } from '../http/sides.ts';
import { httpUrl } from '../http/websocket.ts';
import type { Meta } from '../meta/meta.ts';
import { canHold } from '../util/spool.ts';
import { CustomRecord, TOO_LARGE, type RecordDraft, type RecordServices } from './custom-record.ts';
import type { Gate, Verdict } from './gate.ts';

/** What may be asked for. Of the client's fields Warcprox-Meta and Referer are looked at. */
export type Wanted = WantedRecord | WantedFetch;

export interface WantedRecord {
  readonly kind: 'record';
  readonly fields: Fields;
  readonly draft: RecordDraft;
  /** bytes, where they were announced */
  readonly bodySize?: number | undefined;
}

export interface WantedFetch {
  readonly kind: 'fetch';
  readonly outgoing: OutgoingRequest;
  /** bytes, where they were announced */
  readonly bodySize?: number | undefined;
  /** of the principal record, for whoever wants to know it before */
  readonly recordId?: string;
}

/** Never throws: whatever becomes of it, the client is told. */
export type Passage = (wanted: Wanted, client: ClientSide) => void;

export interface PassageServices {
  readonly gate: Gate;
  readonly admission: Admission;
  readonly records: RecordServices;
  /** of captures whose client names none */
  readonly warcPrefix: string;
  /** a date as records have it */
  readonly warcDate: (date: Date) => string;
}

/** As warcprox calls itself. */
export const VIA = '1.1 warcprox';

const PASSED: AnswerForm = { via: VIA, added: [], last: false };
const passed = () => PASSED;

export function createPassage({ gate, admission, records, warcPrefix, warcDate }: PassageServices): Passage {
  /** With what the client wanted to know of the capture (spec/warcprox.md §6). */
  const withCaptureMetadata = (startedAt: Date): AnswerForm => {
    const metadata = { 'capture-metadata': { timestamp: warcDate(startedAt) } };
    return { ...PASSED, added: [['Warcprox-Meta', JSON.stringify(metadata)]] };
  };

  const fetch = (wanted: WantedFetch, meta: Meta, client: ClientSide) => {
    const { outgoing, recordId } = wanted;
    const exchange = admission.exchange(
      {
        outgoing,
        referer: outgoing.fields.get('referer'),
        meta,
        warcPrefix: meta.warcPrefix ?? warcPrefix,
        form: meta.acceptsCaptureMetadata ? withCaptureMetadata : passed,
        recordId,
      },
      client,
    );
    if (exchange instanceof FetchError) client.fail(exchange, undefined);
    else client.serve(exchange);
  };

  /** Past the gate, or not. */
  const pass = (wanted: Wanted, client: ClientSide, { meta, refusal }: Verdict) => {
    if (client.gone) return;
    if (refusal !== undefined) return client.answer(refusal, true);
    const { closed } = admission;
    if (closed !== undefined) return client.fail(closed, undefined);
    // Before gigabytes have come that cannot be kept.
    if (wanted.bodySize !== undefined && !canHold(records.recording.spool, wanted.bodySize))
      return wanted.kind === 'record' ? client.answer(TOO_LARGE, true) : client.fail(noRoom(true), undefined);
    if (wanted.kind === 'record') {
      client.askForBody();
      return client.serve(new CustomRecord(records, wanted.draft, meta, meta.warcPrefix ?? warcPrefix, client));
    }
    let leave: (() => void) | undefined = undefined;
    leave = admission.enter(() => {
      // Its client may stay for long after this request.
      if (leave !== undefined) client.untilGone().removeEventListener('abort', leave);
      const now = admission.closed;
      if (now === undefined) fetch(wanted, meta, client);
      else client.fail(now, undefined);
    });
    if (leave !== undefined) client.untilGone().addEventListener('abort', leave, { once: true });
  };

  return (wanted, client) => {
    try {
      const verdict =
        wanted.kind === 'fetch'
          ? gate.judge(wanted.outgoing.fields, judgedUrl(wanted.outgoing), client.untilGone)
          : gate.judge(wanted.fields, wanted.draft.url, client.untilGone);
      if (verdict instanceof Promise)
        void verdict.then((settled) => pass(wanted, client, settled)).catch((error: unknown) => client.refuse(error));
      else pass(wanted, client, verdict);
    } catch (error) {
      client.refuse(error);
    }
  };
}

/** What rules are about: a WebSocket is judged as what it is asked of, so that no rule for `https` is got round by `wss`. */
function judgedUrl({ webSocket, target }: OutgoingRequest): string {
  return webSocket === true ? httpUrl(target.url) : target.url;
}
