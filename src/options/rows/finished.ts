/** What is done with WARC files once they are closed. */
import { anyText, httpUrl, onOff, seconds, text } from '../kinds.ts';
import { group, type Resolved } from '../row.ts';

/** Bucket, and what stands in front of the names in it. Source: Amazon S3, naming rules of buckets. */
export const S3_URL = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/;

export const FINISHED_ROWS = group('Finished WARC files', {
  onFinished: {
    argument: 'COMMAND',
    kind: anyText,
    defaultText: 'none',
    summary: 'run this for each file that is closed, with WARC_FILE, WARC_SIZE, WARC_DIGEST and WARC_PREFIX in its environment',
  },
  onFinishedTimeout: {
    argument: 'TIME',
    kind: seconds('above zero'),
    default: 600,
    summary: 'a command that takes longer is ended, and run again later',
  },
  upload: {
    argument: 'S3URL',
    kind: text('a bucket such as s3://bucket or s3://bucket/prefix', (value) => S3_URL.test(value)),
    defaultText: 'none',
    summary: 'upload each file that is closed to this bucket of S3, or of a server like it: s3://bucket/prefix',
  },
  uploadEndpoint: { argument: 'URL', kind: httpUrl, defaultText: 'none', summary: 'of a server other than that of Amazon' },
  uploadRegion: { argument: 'REGION', kind: anyText, defaultText: 'none', summary: 'of the bucket; AWS_REGION counts without it' },
  uploadDelete: { kind: onOff, default: false, summary: 'delete a file once the server has all of it' },
});

export type FinishedSlice = Resolved<typeof FINISHED_ROWS>;
