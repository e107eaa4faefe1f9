/**
 * Where a connection leads.
 */
import type { OriginConnection } from './origin-connection.ts';

export interface Origin {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** name asked for in TLS, when it is not the host's */
  readonly servername?: string | undefined;
}

/** Makes a connection. @throws FetchError (rejects with it) */
export type Connect = (origin: Origin) => Promise<OriginConnection>;

/** Connections with the same key are interchangeable. */
export function originKey({ scheme, host, port }: Origin, servername: string | undefined): string {
  return `${scheme}|${host}|${port}|${servername ?? ''}`;
}
