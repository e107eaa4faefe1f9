/**
 * Answers that the proxy gives itself, and the one place that turns them into bytes.
 */
import { STATUS_CODES } from 'node:http';
import { fieldLine } from '../http1/serialize.ts';

export interface Answer {
  readonly status: number;
  /** instead of the registered one */
  readonly reason?: string;
  readonly fields?: readonly (readonly [name: string, value: string])[];
  readonly contentType: string;
  readonly body: string;
}

/** A one-line reason as plain text. */
export function plainAnswer(status: number, line: string): Answer {
  return { status, contentType: 'text/plain;charset=utf-8', body: `${line}\n` };
}

/** @param close the connection ends after this answer */
export function answerBytes(answer: Answer, requestMethod: string, close: boolean): Buffer {
  const body = Buffer.from(answer.body);
  const bodiless = answer.status === 204;
  let head = `HTTP/1.1 ${answer.status} ${answer.reason ?? STATUS_CODES[answer.status] ?? ''}\r\n`;
  if (!bodiless) head += fieldLine('Content-Type', answer.contentType) + fieldLine('Content-Length', String(body.length));
  for (const [name, value] of answer.fields ?? []) head += fieldLine(name, value);
  if (close) head += fieldLine('Connection', 'close');
  const headBytes = Buffer.from(`${head}\r\n`, 'latin1');
  return requestMethod === 'HEAD' || bodiless ? headBytes : Buffer.concat([headBytes, body]);
}
