/** `GET /jobs/ID/log`: the lines that are kept of a job's log, each as JSON. */
import { toJsonString } from '@bufbuild/protobuf';
import { Failure } from '../failure.ts';
import type { Jobs } from '../jobs/types.ts';
import { JobLogLineSchema } from '../proto/starbelly_pb.ts';
import { lineMessage } from './subscriptions/job-log.ts';

const PATH = /^\/jobs\/([0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/log$/i;

/** @returns undefined for another path */
export function jobLogPage(jobs: Jobs, path: string): (() => Promise<Response>) | undefined {
  const hex = PATH.exec(path)?.[1]?.replaceAll('-', '');
  if (hex === undefined) return undefined;
  return async () => {
    try {
      const { id } = await jobs.get(Buffer.from(hex, 'hex'));
      const lines = jobs.log(id).map((line) => `${toJsonString(JobLogLineSchema, lineMessage(line))}\n`);
      return answer(200, 'application/x-ndjson;charset=utf-8', lines.join(''));
    } catch (error) {
      if (error instanceof Failure) return answer(404, 'text/plain;charset=utf-8', `${error.message}\n`);
      throw error;
    }
  };
}

function answer(status: number, type: string, text: string): Response {
  return new Response(text, { status, headers: { 'content-type': type, 'content-length': String(Buffer.byteLength(text)) } });
}
