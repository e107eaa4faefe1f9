/**
 * Where a connection leads.
 */
import { imitationKey, type Imitation } from '../http/imitation.ts';
import type { OriginConnection } from './origin-connection.ts';
import { upstreamKey, type Upstream } from './upstream.ts';

export interface Origin {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** name asked for in TLS, when it is not the host's */
  readonly servername?: string | undefined;
  /** offer HTTP/2 */
  readonly http2?: boolean | undefined;
  /** but not to this one, which has said that it wants HTTP/1.1 */
  readonly onlyHttp1?: boolean | undefined;
  /** the proxy that leads there, instead of the one for all */
  readonly upstream?: Upstream | undefined;
  /** what is to be said, instead of the same for all */
  readonly imitation?: Imitation | undefined;
  /** also when it could not be reached a moment ago */
  readonly afresh?: boolean | undefined;
}

/** Makes a connection. @throws FetchError (rejects with it) */
export type Connect = (origin: Origin) => Promise<OriginConnection>;

/** Connections with the same key are interchangeable. */
export function originKey(
  { scheme, host, port }: Origin,
  servername: string | undefined,
  upstream?: Upstream,
  http2 = false,
  imitation?: Imitation,
): string {
  const said = imitation === undefined || scheme === 'http' ? '' : `|${imitationKey(imitation)}`;
  const key = `${scheme}|${host}|${port}|${servername ?? ''}${http2 ? '|h2' : ''}${said}`;
  return upstream === undefined ? key : `${key}|${upstreamKey(upstream)}`;
}
