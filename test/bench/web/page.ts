/**
 * A page as the median of the web has them: what it consists of, on which hosts, how large and how coded. Pure, the same in every run.
 *
 * Numbers of requests and bytes by kind are those of the HTTP Archive's reports of 2025 for the median desktop page, rounded: 70 requests,
 * 2.6 MB over the wire, half of it pictures. What a page's kinds add up to is spread over twelve hosts, of which the first, the page's own,
 * has a third. A fifth is the same on every page (libraries, fonts, logos, pixels), a twentieth are redirects and what is not there.
 */
import { hostName } from '../hosts.ts';

export const HOSTS = 12;
/** Names of them; the name with the number 0 is not among them. */
export const HOST_NAMES: readonly string[] = Array.from({ length: HOSTS }, (_, index) => hostName(index + 1));

export type Coding = 'br' | 'gzip' | 'plain';

export interface Resource {
  readonly host: string;
  /** `/PAGE/NUMBER.ext`; `all` for PAGE where each page has the same */
  readonly path: string;
  readonly status: 200 | 302 | 404;
  readonly type: string;
  readonly coding: Coding;
  /** bytes of the body as it is sent, with its coding */
  readonly size: number;
}

interface Kind {
  readonly extension: string;
  readonly type: string;
  readonly codings: readonly Coding[];
  readonly sizes: readonly number[];
}

const TEXT = ['br', 'br', 'gzip'] as const;
const PLAIN = ['plain'] as const;

/** The document is not among them. Their sizes follow one another in each kind. */
const KINDS: readonly Kind[] = [
  { extension: 'html', type: 'text/html; charset=utf-8', codings: TEXT, sizes: [7_000, 3_000] },
  { extension: 'css', type: 'text/css', codings: TEXT, sizes: [28_000, 17_000, 12_000, 9_000, 6_000, 4_000, 2_500, 1_200] },
  {
    ...{ extension: 'js', type: 'text/javascript', codings: TEXT },
    sizes: [
      ...[130_000, 95_000, 72_000, 58_000, 46_000, 39_000, 33_000, 28_000, 24_000, 20_000, 17_000, 14_000],
      ...[12_000, 10_000, 8_500, 7_000, 5_500, 4_500, 3_500, 2_500, 1_800, 1_200, 700],
    ],
  },
  {
    ...{ extension: 'jpg', type: 'image/jpeg', codings: PLAIN },
    sizes: [290_000, 180_000, 130_000, 98_000, 74_000, 57_000, 44_000, 34_000, 26_000, 20_000, 15_000, 11_000, 8_000, 5_500],
  },
  { extension: 'png', type: 'image/png', codings: PLAIN, sizes: [24_000, 9_000, 3_000, 1_100] },
  { extension: 'woff2', type: 'font/woff2', codings: PLAIN, sizes: [48_000, 36_000, 25_000, 18_000, 12_000] },
  { extension: 'json', type: 'application/json', codings: TEXT, sizes: [9_000, 2_400, 1_100, 600, 300, 150] },
  { extension: 'gif', type: 'image/gif', codings: PLAIN, sizes: [43, 43, 43] },
  { extension: 'mp4', type: 'video/mp4', codings: PLAIN, sizes: [600_000] },
];
const DOCUMENT_BYTES = 33_000;
const EMPTY: Kind = { extension: 'html', type: 'text/html', codings: PLAIN, sizes: [] };

/** Numbers of resources, counted over all kinds, that each page has the same; redirects, and what is not there, beside them. */
const SAME_EVERY = 5;
const REDIRECTS = 2;
const MISSING = 1;

/** What a page consists of, its document first. */
export function resourcesOf(page: number): readonly Resource[] {
  const document: Resource = {
    ...{ host: hostName(1), path: `/${page}/0.html`, status: 200, type: 'text/html; charset=utf-8', coding: 'br', size: DOCUMENT_BYTES },
  };
  const rest = KINDS.flatMap(({ extension, type, codings, sizes }) =>
    sizes.map((size, nth) => ({ extension, type, size, coding: codings[nth % codings.length] ?? 'plain' })),
  );
  const known = rest.map(({ extension, ...each }, index): Resource => {
    const place = index % SAME_EVERY === 0 ? 'all' : String(page);
    return { ...each, host: hostOf(index), path: `/${place}/${index + 1}.${extension}`, status: 200 };
  });
  const others = Array.from({ length: REDIRECTS + MISSING }, (_, nth): Resource => {
    const redirects = nth < REDIRECTS;
    const path = `/${page}/${rest.length + 1 + nth}.${EMPTY.extension}`;
    return { host: hostOf(nth * 7), path, status: redirects ? 302 : 404, type: EMPTY.type, coding: 'plain', size: redirects ? 0 : 1_200 };
  });
  return [document, ...known, ...others];
}

/** A third is on the page's own host. */
function hostOf(index: number): string {
  return hostName(index % 3 === 0 ? 1 : 2 + (Math.floor(index / 3) % (HOSTS - 1)));
}

/** What a request for it asks for, by its path. Every page has the same resources under other paths. */
export function resourceAt(path: string): Resource | undefined {
  const number = /^\/(?:\d+|all)\/(\d+)\./.exec(path)?.[1];
  return number === undefined ? undefined : ANY_PAGE[Number(number)];
}

/** What those of every page are like. */
export const ANY_PAGE = resourcesOf(0);
