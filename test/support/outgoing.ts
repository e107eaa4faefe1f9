/**
 * Requests as they are handed to the origin's side: `GET http://a/` unless a test wants something else.
 */
import { Fields } from '../../src/http/fields.ts';
import type { OutgoingRequest } from '../../src/fetch/origin-connection.ts';

export function outgoingRequest(wanted: Partial<OutgoingRequest> = {}): OutgoingRequest {
  return {
    method: 'GET',
    target: { scheme: 'http', host: 'a', port: 80, path: '/', url: 'http://a/' },
    servername: undefined,
    fields: new Fields([]),
    host: 'a',
    via: undefined,
    minor: 1,
    hasBody: false,
    expectsContinue: false,
    ...wanted,
  };
}
