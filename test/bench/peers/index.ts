/**
 * All that can be measured beside warctap.
 */
import { httpMitmProxy } from './http-mitm-proxy.ts';
import { jwarc } from './jwarc.ts';
import { mitmproxy } from './mitmproxy.ts';
import type { Peer } from './peer.ts';
import { pywb } from './pywb.ts';
import { hashingRelay, openingRelay, relay } from './relay.ts';
import { warcprox } from './warcprox.ts';

export const PEERS: readonly Peer[] = [warcprox, pywb, jwarc, httpMitmProxy, mitmproxy, relay, hashingRelay, openingRelay];

/** No proxies: the load straight to the origin, and zlib with what warctap has recorded. */
export const LIMITS = ['direct', 'gzip alone'] as const;
