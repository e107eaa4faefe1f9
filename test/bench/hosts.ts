/**
 * Under which addresses and names the origin is reached. Loopback only.
 */

/** Not 127.0.0.1: warcprox refuses it and has no option for that. Elsewhere than on Linux it may be the only address there is. */
export const ORIGIN_HOST = process.platform === 'linux' ? '127.0.0.2' : '127.0.0.1';

/** Those that names below `localhost` come to: in warctap itself, and in peers by the patches in peers/. */
export const ORIGIN_ADDRESSES: readonly string[] = [...new Set(['127.0.0.1', ORIGIN_HOST])];

/** Two labels, so that no proxy answers for several of them with one wildcard certificate. */
export const hostName = (index: number): string => (index === 0 ? 'warm-up.localhost' : `h${index}.localhost`);
