/**
 * Our own pages asked for through the proxy, by names that lead nowhere else: `http://warctap.test/`, and by TLS `https://warctap.test/`.
 *
 * Nobody can own a name below `.test` (RFC 6761 §6.2). `mitm.it`, which people know from mitmproxy, is somebody's: it only leads to ours, so that
 * what its own site may have left in a browser has nothing to read here.
 * Source: RFC 9112 §3.2.2 (the target decides over Host).
 */
import { fieldOf, Fields } from '../http/fields.ts';
import type { RequestHead } from '../http/message.ts';
import { isRecordMethod } from '../http/record-uri.ts';
import type { ClientRequest, Handler } from '../http/sides.ts';

/** The name of our pages. */
export const OWN_NAME = 'warctap.test';
/** Nobody visits it: whether TLS with it can be opened says that the authority is trusted, and not that a warning was clicked away. */
export const TRUST_NAME = 'trust.warctap.test';
const NAMES: ReadonlySet<string> = new Set([OWN_NAME, TRUST_NAME, 'mitm.it']);
const ABSOLUTE = /^http:\/\/((?:trust\.)?warctap\.test|mitm\.it)\.?(?::\d*)?([/?#].*)?$/is;

/** What is asked of us by one of these names, with a target that is a path and a Host that is the name; undefined for all other requests. */
export function askedThrough(request: ClientRequest): ClientRequest | undefined {
  const { head, tunnel } = request;
  if (tunnel !== undefined)
    return NAMES.has(tunnel.host) && !isRecordMethod(head.method) ? named(request, tunnel.host, head.target) : undefined;
  const [, name, rest = '/'] = ABSOLUTE.exec(head.target) ?? [];
  if (name === undefined || isRecordMethod(head.method)) return undefined;
  return named(request, name.toLowerCase(), rest.startsWith('/') ? rest : `/${rest}`);
}

function named(request: ClientRequest, name: string, target: string): ClientRequest {
  const others = request.head.fields.list.filter(({ key }) => key !== 'host');
  const head: RequestHead = {
    ...request.head,
    target: target.replace(/#.*$/s, ''),
    fields: new Fields([fieldOf('Host', name), ...others]),
  };
  return { ...request, head };
}

/** In front of the pages: one name is theirs, the others lead to it, but for the paths that are asked for by each. */
export function withOneName(handler: Handler, ofEachName: readonly string[]): Handler {
  return (request, client) => {
    const { head, tunnel } = request;
    const name = head.fields.get('host');
    const [path = ''] = head.target.split('?', 1);
    if (name === OWN_NAME || ofEachName.includes(path)) return handler(request, client);
    const place = `${tunnel?.scheme ?? 'http'}://${OWN_NAME}${head.target}`;
    client.answer({ status: 307, contentType: 'text/plain;charset=utf-8', body: '', fields: [['Location', place]] });
  };
}
