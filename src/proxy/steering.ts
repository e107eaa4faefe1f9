/**
 * Who may steer the archive: what of a client's request counts, before anything is made of it.
 *
 * A page in a browser can send our methods and fields to any origin that it was itself loaded from over plain HTTP, and they pass here. So
 * records are not taken from pages; and with a secret Warcprox-Meta counts only beside it, as a page cannot be told from whoever runs it.
 * Source: Fetch Standard (Origin on all methods but GET and HEAD), Fetch Metadata Request Headers §2.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { plainAnswer, type Answer } from '../http/answer.ts';
import { Fields } from '../http/fields.ts';
import type { RequestHead } from '../http/message.ts';
import { isRecordMethod } from '../http/record-uri.ts';
import type { ClientRequest } from '../http/sides.ts';

/** Beside Warcprox-Meta. Neither is sent on or archived. */
export const SECRET_FIELD = 'warcprox-meta-secret';
const META_FIELD = 'warcprox-meta';

export interface Steering {
  /** The answer to a request that a page must not make. */
  refuse(head: RequestHead): Answer | undefined;
  /** The request with what counts of its head: mostly all. */
  heeded(request: ClientRequest): ClientRequest;
  /** How often Warcprox-Meta came without the secret. */
  readonly ignored: number;
}

/** @param secret undefined: Warcprox-Meta counts from everybody */
export function createSteering(secret: string | undefined): Steering {
  const expected = secret === undefined ? undefined : digest(Buffer.from(secret));
  let ignored = 0;

  /** In a time that says nothing of how much of it is right. */
  const knowsSecret = (fields: Fields): boolean => {
    const [given, ...more] = fields.all(SECRET_FIELD);
    return (
      given !== undefined && more.length === 0 && expected !== undefined && timingSafeEqual(digest(Buffer.from(given, 'latin1')), expected)
    );
  };

  return {
    get ignored() {
      return ignored;
    },
    refuse({ method, fields }) {
      const sign = isRecordMethod(method) ? fields.list.find(({ key }) => key === 'origin' || key.startsWith('sec-fetch-')) : undefined;
      return sign && plainAnswer(403, `${method} is not for pages in a browser, whose requests have ${sign.name}`);
    },
    heeded(request) {
      const { head } = request;
      const { fields } = head;
      if (expected === undefined || !fields.has(META_FIELD) || knowsSecret(fields)) return request;
      ignored++;
      return { ...request, head: { ...head, fields: new Fields(fields.list.filter(({ key }) => key !== META_FIELD)) } };
    },
  };
}

function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
