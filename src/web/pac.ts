/**
 * `/proxy.pac`: a script by which browsers and systems find the proxy by themselves.
 *
 * It names the proxy and nothing behind it: what does not come through is not archived, and should not look as if it were. What is of the
 * browser's own machine goes past it.
 * Source: Netscape, Navigator Proxy Auto-Config File Format (1996), the only one there is.
 */
import type { FetchHandler } from './pages.ts';

const PAC_TYPE = 'application/x-ns-proxy-autoconfig';

/** @param place `host:port` of the proxy, as the one who asks can reach it */
export function pacPage(place: (request: Request) => string): FetchHandler {
  return (request) => {
    const text = pacScript(place(request));
    return new Response(text, {
      headers: { 'content-type': PAC_TYPE, 'content-length': String(Buffer.byteLength(text)), 'cache-control': 'no-store' },
    });
  };
}

/** Only functions of the language itself: what engines have beside it differs. */
export function pacScript(place: string): string {
  return `// All requests go through the archiving proxy, but for those to the machine that they come from.
function FindProxyForURL(url, host) {
  host = host.toLowerCase();
  if (host === "localhost" || /\\.localhost$/.test(host) || /^127\\.\\d+\\.\\d+\\.\\d+$/.test(host) || host === "::1" || host === "[::1]") {
    return "DIRECT";
  }
  return ${JSON.stringify(`PROXY ${place}`)};
}
`;
}
