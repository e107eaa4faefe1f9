/**
 * Prints the constants of `src/warc/codec/gzip/head-code.ts`, by counting what heads consist of: `head-code.ts [WARC-FILE…]`.
 *
 * Without files a sample counts: what browsers, crawlers and servers commonly say, with digits drawn from a hash, so that it is the same each time.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { WARCParser } from 'warcio';
import { DISTANCES, END_OF_BLOCK, FIRST_LENGTH, LENGTHS } from '../../src/warc/codec/gzip/head-code.ts';
import { DISTANCE_MASK, LENGTH_SHIFT, MAX_HEAD_BYTES, takeTokens, tokens } from '../../src/warc/codec/gzip/head-tokens.ts';

const LITERALS = 286;
const MAX_BITS = 15;
const MAX_LENGTH_BITS = 7;
/** Symbols that hardly occur share what is left for them, with codes of about so many bits, all alike. */
const RARE_BITS = 13;
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

let drawn = 0;
const hash = (algorithm: string) => createHash(algorithm).update(String(drawn++));
const hex = (digits: number) => hash('sha256').digest('hex').slice(0, digits);
const word = (length: number) => hash('sha256').digest('base64url').slice(0, length);
const number = (below: number) => hash('sha256').digest().readUInt32LE() % below;
const one = (...of: readonly string[]) => of[number(of.length)] ?? '';
const uuid = () => hex(32).replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');

function sample(): Buffer[] {
  return Array.from({ length: 4000 }, (_, nth) => Buffer.from(nth % 2 === 0 ? responseHead() : requestHead()));
}

const PATHS = [
  'assets',
  'static',
  'images',
  'img',
  'js',
  'css',
  'fonts',
  'media',
  'wp-content',
  'uploads',
  'api',
  'v1',
  'news',
  'article',
  'en',
  '2026',
];
const ENDINGS = ['.js', '.css', '.png', '.jpg', '.webp', '.svg', '.woff2', '.html', '.json', '.mp4', '', '/'];
const host = () =>
  `${one('www.', '', 'cdn.', 'static.', 'img.')}${one('example', 'news', 'museum', 'library', 'shop', word(7).toLowerCase())}.${one('com', 'org', 'net', 'de', 'gov', 'io')}`;
const path = () =>
  `/${one(...PATHS)}/${one(...PATHS)}/${one(word(9), word(14).toLowerCase(), String(number(1e6)), 'index', 'main')}${one(...ENDINGS)}${one('', '', '', `?v=${hex(8)}`, `?id=${number(1e7)}`)}`;
const date = () =>
  `${one('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun')}, ${10 + number(19)} ${one('Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec')} 202${number(7)} ${10 + number(14)}:${10 + number(50)}:${10 + number(50)} GMT`;
const digest = () => one('sha1', 'sha1', 'sha256').replace(/.*/, (name) => `${name}:${hex(name === 'sha1' ? 40 : 64)}`);

function warcHead(type: string, url: string, more: string): string {
  const date = `2026-${10 + number(3)}-${10 + number(19)}T${10 + number(14)}:${10 + number(50)}:${10 + number(50)}.${100 + number(900)}Z`;
  return `WARC/1.1\r\nWARC-Type: ${type}\r\nWARC-Record-ID: <urn:uuid:${uuid()}>\r\nWARC-Date: ${date}\r\nWARC-Target-URI: ${url}\r\n${more}`;
}

const spoken = () =>
  one(
    'WARC-Protocol: http/1.1\r\nWARC-Protocol: tls/1.3\r\nWARC-Cipher-Suite: TLS_AES_256_GCM_SHA384\r\n',
    'WARC-Protocol: h2\r\nWARC-Protocol: tls/1.3\r\nWARC-Cipher-Suite: TLS_AES_128_GCM_SHA256\r\n',
    'WARC-Protocol: http/1.1\r\n',
    '',
  );

function some(...fields: readonly string[]): string {
  return fields.filter(() => number(3) > 0).join('');
}

function responseHead(): string {
  const type = one(
    'text/html; charset=UTF-8',
    'application/javascript',
    'text/css',
    'image/jpeg',
    'image/png',
    'image/webp',
    'font/woff2',
    'application/json',
    'video/mp4',
    'text/html;charset=utf-8',
  );
  const http = `HTTP/1.1 ${one('200 OK', '200 OK', '200 OK', '301 Moved Permanently', '304 Not Modified', '404 Not Found', '206 Partial Content')}\r\n${some(
    `Server: ${one('nginx', 'Apache', 'cloudflare', 'AmazonS3', 'Microsoft-IIS/10.0', 'nginx/1.24.0')}\r\n`,
    `Date: ${date()}\r\n`,
    `Content-Type: ${type}\r\n`,
    `Content-Length: ${number(1e6)}\r\n`,
    `Last-Modified: ${date()}\r\n`,
    `ETag: ${one(`"${hex(13)}"`, `W/"${hex(8)}-${hex(4)}"`, `"${hex(32)}"`)}\r\n`,
    `Cache-Control: ${one('public, max-age=31536000, immutable', 'max-age=3600', 'no-cache, no-store, must-revalidate', 'private, max-age=0')}\r\n`,
    `Expires: ${date()}\r\n`,
    'Connection: keep-alive\r\n',
    'Vary: Accept-Encoding\r\n',
    `Content-Encoding: ${one('gzip', 'br')}\r\n`,
    'Accept-Ranges: bytes\r\n',
  )}${
    number(2) === 0
      ? ''
      : some(
          'Strict-Transport-Security: max-age=31536000; includeSubDomains; preload\r\n',
          'X-Content-Type-Options: nosniff\r\n',
          'X-Frame-Options: SAMEORIGIN\r\n',
          'Access-Control-Allow-Origin: *\r\n',
          `Set-Cookie: ${one('session', 'id', '__cf_bm', 'PHPSESSID')}=${word(32)}; path=/; expires=${date()}; domain=.${host()}; HttpOnly; Secure; SameSite=None\r\n`,
          `CF-RAY: ${hex(16)}-${one('FRA', 'IAD', 'CDG')}\r\nCF-Cache-Status: HIT\r\n`,
          `Via: 1.1 varnish\r\nX-Cache: HIT\r\nAge: ${number(100_000)}\r\nX-Served-By: cache-fra-${word(12)}\r\n`,
          `Link: <https://${host()}${path()}>; rel=preload; as=style\r\n`,
          "Content-Security-Policy: default-src 'self'; script-src 'self' 'unsafe-inline'; img-src * data:; upgrade-insecure-requests\r\n",
          'Referrer-Policy: strict-origin-when-cross-origin\r\n',
          'alt-svc: h3=":443"; ma=86400\r\n',
        )
  }\r\n`;
  return `${warcHead('response', `https://${host()}${path()}`, `WARC-IP-Address: ${number(255)}.${number(255)}.${number(255)}.${number(255)}\r\n${spoken()}Content-Type: application/http;msgtype=response\r\nWARC-Block-Digest: ${digest()}\r\nWARC-Payload-Digest: ${digest()}\r\n`)}Content-Length: ${number(1e5)}\r\n\r\n${http}`;
}

function requestHead(): string {
  const site = host();
  const to = path();
  const browser = number(3) > 0;
  const http = `GET ${to} HTTP/1.1\r\nHost: ${site}\r\n${some('Connection: keep-alive\r\n')}${
    browser
      ? `sec-ch-ua: "Chromium";v="143", "Not A(Brand";v="24"\r\nsec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: "Linux"\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36\r\nAccept: ${one('*/*', 'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8')}\r\nSec-Fetch-Site: ${one('same-origin', 'cross-site')}\r\nSec-Fetch-Mode: ${one('no-cors', 'cors', 'navigate')}\r\nSec-Fetch-Dest: ${one('image', 'script', 'style', 'document')}\r\nReferer: https://${host()}/\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n`
      : `User-Agent: ${one('Mozilla/5.0 (compatible; archive.org_bot +http://archive.org/details/archive.org_bot)', 'curl/8.5.0', 'python-requests/2.32.3', 'Mozilla/5.0 (compatible; bot; +https://example.org/bot)')}\r\nAccept: */*\r\n${some('Accept-Encoding: gzip, deflate\r\n')}`
  }\r\n`;
  return `${warcHead('request', `https://${site}${to}`, `WARC-Concurrent-To: <urn:uuid:${uuid()}>\r\n${spoken()}Content-Type: application/http;msgtype=request\r\nWARC-Block-Digest: ${digest()}\r\n`)}Content-Length: ${number(1000)}\r\n\r\n${http}\r\n\r\n`;
}

/** Heads of the records in a file. */
async function headsIn(file: string): Promise<Buffer[]> {
  const heads: Buffer[] = [];
  for await (const record of new WARCParser(createReadStream(file))) {
    const { warcType } = record;
    const text = `${record.warcHeaders.toString()}\r\n${record.httpHeaders?.toString() ?? ''}\r\n`;
    await record.skipFully();
    if (warcType === 'response' || warcType === 'request' || warcType === 'revisit') heads.push(Buffer.from(text));
  }
  return heads;
}

/** Huffman's, none of them longer than `most`; what occurs less often than `floor` counts as much. */
function codeLengths(counts: readonly number[], most: number, floor: number): number[] {
  interface Node {
    readonly weight: number;
    readonly symbols: readonly number[];
  }
  const lengths = counts.map(() => 0);
  let nodes: Node[] = counts
    .map((count, symbol) => ({ weight: Math.max(count, floor), symbols: [symbol] }))
    .filter(({ weight }) => weight > 0);
  while (nodes.length > 1) {
    const [least, next, ...others] = nodes.toSorted((one, other) => one.weight - other.weight) as [Node, Node, ...Node[]];
    const symbols = [...least.symbols, ...next.symbols];
    for (const symbol of symbols) lengths[symbol] = (lengths[symbol] ?? 0) + 1;
    nodes = [{ weight: least.weight + next.weight, symbols }, ...others];
  }
  return Math.max(...lengths) <= most ? lengths : codeLengths(counts, most, Math.max(1, floor * 1.5));
}

/** As RFC 1951 §3.2.7 has them: a length, or how often the one before comes again. */
function repeated(lengths: readonly number[]): { symbol: number; extra?: [value: number, bits: number] }[] {
  const said: { symbol: number; extra?: [number, number] }[] = [];
  for (let at = 0; at < lengths.length;) {
    const symbol = lengths[at] ?? 0;
    let run = 1;
    while (lengths[at + run] === symbol) run++;
    said.push({ symbol });
    at += run--;
    for (; run >= 3;) {
      const times = Math.min(6, run);
      said.push({ symbol: 16, extra: [times - 3, 2] });
      run -= times;
    }
    for (; run > 0; run--) said.push({ symbol });
  }
  return said;
}

const heads = process.argv.length > 2 ? (await Promise.all(process.argv.slice(2).map(headsIn))).flat() : sample();
const literals = Array.from({ length: LITERALS }, () => 0);
const distances = Array.from({ length: 30 }, () => 0);
const count = (of: number[], symbol: number) => (of[symbol] = (of[symbol] ?? 0) + 1);
for (const head of heads) {
  const many = takeTokens(head.subarray(0, MAX_HEAD_BYTES));
  for (const token of tokens.subarray(0, many)) {
    if (token <= DISTANCE_MASK) count(literals, token);
    else {
      count(literals, FIRST_LENGTH + LENGTHS.of(token >> LENGTH_SHIFT));
      count(distances, DISTANCES.of(token & DISTANCE_MASK));
    }
  }
  count(literals, END_OF_BLOCK);
}
const total = literals.reduce((sum, each) => sum + each, 0);
const literalLengths = codeLengths(literals, MAX_BITS, total / 2 ** RARE_BITS);
const distanceLengths = codeLengths(distances, MAX_BITS, distances.reduce((sum, each) => sum + each, 0) / 2 ** 9);

const said = [...repeated([...literalLengths, ...distanceLengths])];
const lengthCounts = Array.from({ length: 19 }, (_, symbol) => said.filter((each) => each.symbol === symbol).length);
const lengthLengths = codeLengths(lengthCounts, MAX_LENGTH_BITS, 0);
const bits: number[] = [];
const put = (value: number, many: number) => {
  for (let nth = 0; nth < many; nth++) bits.push((value >> nth) & 1);
};
const codes = new Map<number, string>();
let next = 0;
for (let length = 1; length <= MAX_LENGTH_BITS; length++) {
  for (const [symbol, its] of lengthLengths.entries()) if (its === length) codes.set(symbol, (next++).toString(2).padStart(length, '0'));
  next *= 2;
}
const orderUsed = ORDER.findLastIndex((symbol) => (lengthLengths[symbol] ?? 0) > 0) + 1;
put(0, 1);
put(2, 2);
put(LITERALS - 257, 5);
put(distances.length - 1, 5);
put(orderUsed - 4, 4);
for (const symbol of ORDER.slice(0, orderUsed)) put(lengthLengths[symbol] ?? 0, 3);
for (const { symbol, extra } of said) {
  for (const bit of codes.get(symbol) ?? '') bits.push(Number(bit));
  if (extra !== undefined) put(...extra);
}
const start = Buffer.alloc(Math.ceil(bits.length / 8));
for (const [nth, bit] of bits.entries()) start[nth >> 3] = (start[nth >> 3] ?? 0) | (bit << (nth & 7));
const digits = (lengths: readonly number[]) => lengths.map((length) => length.toString(16)).join('');
console.log(digits(literalLengths));
console.log(digits(distanceLengths));
console.log(start.toString('hex'));
console.log(bits.length);
