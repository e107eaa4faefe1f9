/**
 * What is had of a job by plain requests: the lines that are kept of its log, one of its items as JSON, and the body of that.
 *
 * A body is from anywhere: whatever it is, it comes as bytes to be saved, and a browser that opens it all the same runs nothing of it.
 * Source: Content Security Policy Level 3 §6.3.2 (sandbox), Fetch Standard (X-Content-Type-Options, Cross-Origin-Resource-Policy).
 */
import { toJsonString } from '@bufbuild/protobuf';
import type { Log } from '../../util/log.ts';
import { reasonOf } from '../../util/thrown.ts';
import { Failure } from '../failure.ts';
import type { Jobs } from '../jobs/types.ts';
import { CrawlResponseSchema, JobLogLineSchema } from '../proto/starbelly_pb.ts';
import { itemMessage } from './job-messages.ts';
import { lineMessage } from './subscriptions/job-log.ts';

const PATH = /^\/jobs\/([0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/(?:(log)|items\/(\d{1,15})(\/body)?)$/i;
const TEXT = 'text/plain;charset=utf-8';
const SAFE = {
  'content-security-policy': "sandbox; default-src 'none'",
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** @returns undefined for another path */
export function jobPage(jobs: Jobs, path: string, log: Log): (() => Promise<Response>) | undefined {
  const [, name, isLog, number, isBody] = PATH.exec(path) ?? [];
  if (name === undefined) return undefined;
  const id = Buffer.from(name.replaceAll('-', ''), 'hex');
  return async () => {
    try {
      if (isLog !== undefined) return await logOf(jobs, id);
      return await itemOf(jobs, id, Number(number), isBody !== undefined);
    } catch (error) {
      if (error instanceof Failure) return answer(404, TEXT, `${error.message}\n`);
      log.error({ err: error }, `the items of a job cannot be read: ${reasonOf(error)}`);
      return answer(500, TEXT, `The item cannot be read: ${reasonOf(error)}\n`);
    }
  };
}

async function logOf(jobs: Jobs, id: Uint8Array): Promise<Response> {
  await jobs.get(id);
  const lines = jobs.log(id).map((line) => `${toJsonString(JobLogLineSchema, lineMessage(line))}\n`);
  return answer(200, 'application/x-ndjson;charset=utf-8', lines.join(''));
}

async function itemOf(jobs: Jobs, id: Uint8Array, sequence: number, isBody: boolean): Promise<Response> {
  const item = await jobs.item(id, sequence, isBody ? 'plain' : 'none');
  if (!isBody) return answer(200, 'application/json', toJsonString(CrawlResponseSchema, itemMessage(item, 'none')));
  return answer(200, 'application/octet-stream', item.body?.bytes ?? new Uint8Array(), {
    'content-disposition': `attachment; filename="item-${sequence}"`,
  });
}

function answer(status: number, type: string, content: string | Uint8Array, more: Readonly<Record<string, string>> = {}): Response {
  const bytes = Buffer.from(content);
  return new Response(bytes, {
    status,
    headers: { ...SAFE, ...more, 'content-type': type, 'content-length': String(bytes.length) },
  });
}
