/**
 * One message, or one code that several messages share: what the registry says of it. The texts themselves stand where they are said.
 *
 * `docs/messages.md` is made from the rows and from those texts, and `test/messages.test.ts` keeps the three in step.
 */
export interface MessageRow {
  /** the cause: ends the sentence "This appears when …" */
  readonly when: string;
  /** what to do about it, as one who runs or uses the proxy */
  readonly fix: string;
  /** texts that no call with this code holds as such, as they are made elsewhere; `…` stands for what differs */
  readonly says?: readonly string[];
}

export interface AnswerRow extends MessageRow {
  readonly status: number;
}

/** The fix of what should not happen. */
export const REPORT = 'report it, with the line and what was done';
