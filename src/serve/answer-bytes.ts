/**
 * The one place that turns an answer of our own into bytes of HTTP/1.
 */
import { STATUS_CODES } from 'node:http';
import type { Answer } from '../http/answer.ts';
import { fieldLine } from '../http1/serialize.ts';

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
