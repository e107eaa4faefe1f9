/**
 * Answers of the service that are no files: texts, and the form that errors have for those who ask for JSON.
 *
 * Source: spec/circe.md §3.
 */
import { STATUS_CODES } from 'node:http';

const TEXT = 'text/plain; charset=utf-8';

export function textReply(text: string, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return reply(text, TEXT, status, headers);
}

export function jsonReply(value: unknown, status = 200): Response {
  return reply(JSON.stringify(value), 'application/json', status);
}

export function htmlReply(html: string, headers: Readonly<Record<string, string>> = {}): Response {
  return reply(html, 'text/html; charset=utf-8', 200, headers);
}

/** One line of what is wrong. */
export function errorReply(request: Request, status: number, message: string, headers: Readonly<Record<string, string>> = {}): Response {
  const accept = request.headers.get('accept') ?? '';
  if (!/\bapplication\/json\b/i.test(accept)) return textReply(message, status, headers);
  const description = STATUS_CODES[status] ?? '';
  return reply(JSON.stringify({ description, status, message }), 'application/json', status, headers);
}

export function reply(text: string | Buffer, type: string, status: number, headers: Readonly<Record<string, string>> = {}): Response {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  return new Response(new Uint8Array(bytes), {
    status,
    headers: { ...headers, 'content-type': type, 'content-length': String(bytes.length) },
  });
}
