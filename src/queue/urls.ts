/**
 * What a URL is known by: its normal form (WHATWG URL Standard) without fragment.
 */
import { hash } from 'node:crypto';

export interface KnownUrl {
  /** normal form */
  readonly url: string;
  /** name and port, the port always said */
  readonly host: string;
  /** unlike that of any other URL: the host, a slash, and 96 bits of SHA-256 of the normal form */
  readonly id: string;
}

export const MAX_URL_CHARS = 65_536;
/** RFC 1035 §2.3.4, less the bytes of lengths. */
const MAX_HOST_CHARS = 253;
const HASH_CHARS = 16;

/** @returns undefined for what is no http or https URL of bearable length */
export function knownUrl(text: unknown): KnownUrl | undefined {
  if (typeof text !== 'string' || text.length > MAX_URL_CHARS) return undefined;
  let parsed: URL;
  try {
    parsed = new URL(text);
  } catch {
    return undefined;
  }
  const { protocol, hostname } = parsed;
  if ((protocol !== 'http:' && protocol !== 'https:') || hostname.length > MAX_HOST_CHARS) return undefined;
  if (parsed.hash !== '' || parsed.href.endsWith('#')) parsed.hash = '';
  const url = parsed.href;
  if (url.length > MAX_URL_CHARS) return undefined;
  const port = parsed.port === '' ? (protocol === 'http:' ? '80' : '443') : parsed.port;
  const host = `${hostname}:${port}`;
  return { url, host, id: `${host}/${hash('sha256', url, 'base64url').slice(0, HASH_CHARS)}` };
}

/** The host of an id. */
export function hostOf(id: string): string {
  return id.slice(0, id.lastIndexOf('/'));
}
