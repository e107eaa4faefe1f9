/**
 * A record that a program in this process wants written, on the road of those that clients of the proxy send.
 */
import { NO_META } from '../meta/meta.ts';
import { CustomRecord, RECORDED, type RecordDraft, type RecordServices } from '../proxy/custom-record.ts';
import { RefusedError } from './inner-client.ts';

export type InnerDraft = Pick<RecordDraft, 'url' | 'warcType' | 'contentType'> & {
  /** of the WARC file's name */
  readonly prefix: string;
};

const METHOD = 'WARCPROX_WRITE_RECORD';

/**
 * @returns its WARC-Record-ID, when it is in its file
 * @throws RefusedError when it could not be written
 */
export function writeRecord(services: RecordServices, { prefix, ...draft }: InnerDraft, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const recordId = services.newRecordId();
    let answered = false as boolean;
    const client = {
      answer(answer: ConstructorParameters<typeof RefusedError>[0]) {
        answered = true;
        if (answer.status === RECORDED) resolve(recordId);
        else reject(new RefusedError(answer));
      },
      resumeRequest: () => undefined,
    };
    const record = new CustomRecord(
      { ...services, newRecordId: () => recordId },
      { ...draft, method: METHOD, referer: undefined },
      NO_META,
      prefix,
      client,
    );
    record.write(bytes, [bytes]);
    if (!answered) record.endRequest();
  });
}
