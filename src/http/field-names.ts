/**
 * Names of header fields that nearly every message has, found in the text of a head without cutting them out of it.
 *
 * One text stands for each, so that comparing it costs nothing, and its lower case is made once.
 */
export interface FieldName {
  readonly name: string;
  /** in lower case */
  readonly key: string;
}

/** As they are written in HTTP/1; they are known in lower case, too. */
const USUAL = `Accept Accept-CH Accept-Charset Accept-Encoding Accept-Language Accept-Ranges Access-Control-Allow-Credentials
Access-Control-Allow-Headers Access-Control-Allow-Methods Access-Control-Allow-Origin Access-Control-Expose-Headers Access-Control-Max-Age Age
Allow Alt-Svc Authorization Cache-Control CF-Cache-Status CF-RAY Connection Content-Disposition Content-Encoding Content-Language
Content-Length Content-Location Content-Range Content-Security-Policy Content-Type Cookie Cross-Origin-Opener-Policy
Cross-Origin-Resource-Policy Date DNT ETag Expect Expires Host If-Modified-Since If-None-Match Keep-Alive Last-Modified Link Location NEL
Origin P3P Permissions-Policy Pragma Priority Proxy-Connection Range Referer Referrer-Policy Report-To Reporting-Endpoints Sec-CH-UA
Sec-CH-UA-Mobile Sec-CH-UA-Platform Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User Server Server-Timing Set-Cookie
Strict-Transport-Security TE Timing-Allow-Origin Trailer Transfer-Encoding Upgrade Upgrade-Insecure-Requests User-Agent Vary Via Warcprox-Meta
X-Cache X-Cache-Hits X-Content-Type-Options X-Frame-Options X-Powered-By X-Requested-With X-Served-By X-Timer X-XSS-Protection`.split(/\s/);

const SLOTS = 256;
const known: FieldName[][] = Array.from({ length: SLOTS }, () => []);
for (const usual of USUAL) {
  const key = usual.toLowerCase();
  for (const name of [usual, key]) known[slotOf(name, 0, name.length)]?.push({ name, key });
}

/** The name that stands in the text from `start` to `end`, which is not empty. */
export function fieldNameIn(text: string, start: number, end: number): FieldName {
  for (const usual of known[slotOf(text, start, end)] ?? [])
    if (usual.name.length === end - start && text.startsWith(usual.name, start)) return usual;
  const name = text.slice(start, end);
  return { name, key: name.toLowerCase() };
}

/** Length, first and last character tell most of them apart. */
function slotOf(text: string, start: number, end: number): number {
  return (31 * (end - start) + 7 * text.charCodeAt(start) + text.charCodeAt(end - 1)) % SLOTS;
}
