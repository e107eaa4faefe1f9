import type { MessageErrorCode } from '../messages/answers.ts';

/** What is wrong with a message: one class, because the reaction is one: refuse the message and close its connection. */
export class MessageError extends Error {
  readonly code: MessageErrorCode;

  /** @param found the bytes that were not understood, shown shortened, escaped and without what may be a password */
  constructor(code: MessageErrorCode, message: string, found?: string) {
    super(found === undefined ? message : `${message}: ${shown(withoutCredentials(found))}`);
    this.name = 'MessageError';
    this.code = code;
  }
}

const SHOWN_CHARS = 60;

/** At most 60 characters of untrusted text, quoted, without any that a terminal or a header could act on. */
export function shown(text: string): string {
  const short = text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
  return JSON.stringify(short).replace(/[\u007f-\u009f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** What stands before an `@` may be a password, wherever its URL has been cut or torn apart. */
function withoutCredentials(text: string): string {
  const at = text.lastIndexOf('@');
  if (at === -1) return text;
  const [begin = ''] = /^(?:[!-?A-~]+ )?[a-z]+:\/\//i.exec(text) ?? [];
  return `${begin}***${text.slice(at)}`;
}
