/** The messages that most tests need: plain ones, so that what is special about a test stands in the test. */

/** A request as a client of the proxy writes it. @param more field lines, each with its CRLF */
export function get(url: string, more = ''): string {
  return `GET ${url} HTTP/1.1\r\nHost: ${new URL(url).host}\r\n${more}\r\n`;
}

/** What the origin receives of it. */
export function received(url: string, more = ''): string {
  const { host, pathname, search } = new URL(url);
  return `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;
}

/** An answer with a length. */
export function ok(body = 'ok', more = ''): string {
  return `HTTP/1.1 200 OK\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** The head of it, as the client gets it. */
export function okHead(length = 2, more = '', last = ''): string {
  return `HTTP/1.1 200 OK\r\n${more}Content-Length: ${length}\r\nVia: 1.1 warcprox\r\n${last}\r\n`;
}

/** How the proxy refuses, with `line` as its reason. */
export function refusal(status: string, line: string, close = true): string {
  const fields = `Content-Type: text/plain;charset=utf-8\r\nContent-Length: ${Buffer.byteLength(line) + 1}\r\n`;
  return `HTTP/1.1 ${status}\r\n${fields}${close ? 'Connection: close\r\n' : ''}\r\n${line}\n`;
}
