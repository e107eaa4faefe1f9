/**
 * Finished WARC files into a bucket of S3 or of anything that speaks like it: bit for bit, in parts, which are taken up again after a restart.
 *
 * An object is there when the server says that it has all bytes; before that nothing of ours says it is. The server knows which parts it has:
 * nothing is kept here. The SDK is loaded with the first file; credentials come from where the SDK finds them, and are never logged.
 * Source: Amazon S3 API Reference (PutObject, CreateMultipartUpload, UploadPart, ListParts, CompleteMultipartUpload).
 */
import { open, type FileHandle } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { CompletedPart, S3Client } from '@aws-sdk/client-s3';
import type { FinishedFile, Step } from './step.ts';

export interface UploadOptions {
  readonly bucket: string;
  /** in front of the path below the folder of WARC files, without `/` at its ends; may be empty */
  readonly prefix: string;
  /** of a server that is not Amazon's */
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  /** bytes of a part; 16 MiB unless given */
  readonly partBytes?: number;
}

type Sdk = typeof import('@aws-sdk/client-s3');

interface Target {
  readonly sdk: Sdk;
  readonly client: S3Client;
  readonly Bucket: string;
  readonly Key: string;
  readonly signal: AbortSignal;
}

const AT_ONCE = 2;
/** In memory, for each file. S3 takes 10,000 parts of at least 5 MiB. */
const PART_BYTES = 16 * 1024 * 1024;
const MAX_PARTS = 10_000;
const CONNECT_MS = 10_000;
const SILENCE_MS = 60_000;

export function uploadStep(options: UploadOptions): Step {
  let loading: Promise<{ readonly sdk: Sdk; readonly client: S3Client }> | undefined;
  let opened: S3Client | undefined;
  const load = async () => {
    // It warns of Node 20 once a start, whatever the version that it was installed in.
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
    const sdk = await import('@aws-sdk/client-s3');
    const { endpoint, region } = options;
    opened = new sdk.S3Client({
      ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
      ...(region === undefined ? (endpoint === undefined ? {} : { region: process.env.AWS_REGION ?? 'us-east-1' }) : { region }),
      // Pauses between tries are ours.
      maxAttempts: 2,
      requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: SILENCE_MS, throwOnRequestTimeout: true },
    });
    return { sdk, client: opened };
  };
  return {
    name: 'upload',
    atOnce: AT_ONCE,
    tries: Infinity,
    async run(file, signal) {
      const { sdk, client } = await (loading ??= load());
      const { bucket, prefix, partBytes = PART_BYTES } = options;
      const target = { sdk, client, Bucket: bucket, Key: prefix === '' ? file.path : `${prefix}/${file.path}`, signal };
      if (await isThere(target, file)) return;
      await using handle = await open(file.file, 'r');
      const size = Math.max(partBytes, Math.ceil(file.size / MAX_PARTS));
      if (file.size <= size) await putWhole(target, handle, file);
      else await putParts(target, handle, file, size);
      if (!(await isThere(target, file))) throw new Error('the server does not have what it was sent');
    },
    close: () => opened?.destroy(),
  };
}

/** The object has the bytes of the file, as far as its size and what was said of it tell. */
async function isThere({ sdk, client, Bucket, Key, signal }: Target, { size, digest }: FinishedFile): Promise<boolean> {
  try {
    const { ContentLength, Metadata } = await client.send(new sdk.HeadObjectCommand({ Bucket, Key }), { abortSignal: signal });
    return ContentLength === size && Metadata?.['warc-digest'] === digest;
  } catch (error) {
    if (error instanceof sdk.NotFound || (error instanceof sdk.S3ServiceException && error.$metadata.httpStatusCode === 404)) return false;
    throw told(error, Bucket);
  }
}

/** What is said of an object. */
function about({ digest }: FinishedFile) {
  return { ContentType: 'application/warc', Metadata: { 'warc-digest': digest } };
}

async function putWhole({ sdk, client, Bucket, Key, signal }: Target, handle: FileHandle, file: FinishedFile): Promise<void> {
  const Body = await bytesAt(handle, 0, file.size);
  const put = new sdk.PutObjectCommand({ Bucket, Key, Body, ChecksumAlgorithm: 'CRC32', ...about(file) });
  await client.send(put, { abortSignal: signal }).catch((error: unknown) => {
    throw told(error, Bucket);
  });
}

async function putParts(target: Target, handle: FileHandle, file: FinishedFile, partBytes: number): Promise<void> {
  const { sdk, client, Bucket, Key, signal } = target;
  const options = { abortSignal: signal };
  try {
    const begun = await begunUpload(target);
    const created =
      begun ??
      (await client.send(new sdk.CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: 'CRC32', ...about(file) }), options))
        .UploadId;
    if (created === undefined) throw new Error('the server has begun no upload');
    const has = begun === undefined ? new Map<number, CompletedPart>() : await partsOf(target, begun);
    const Parts: CompletedPart[] = [];
    for (let PartNumber = 1, at = 0; at < file.size; PartNumber++, at += partBytes) {
      const Body = await bytesAt(handle, at, Math.min(partBytes, file.size - at));
      const there = has.get(PartNumber);
      const ChecksumCRC32 = checksumOf(Body);
      if (there?.ETag === `"${createHash('md5').update(Body).digest('hex')}"`) {
        Parts.push({ ...there, ChecksumCRC32 });
        continue;
      }
      const sent = await client.send(
        new sdk.UploadPartCommand({ Bucket, Key, UploadId: created, PartNumber, Body, ChecksumCRC32 }),
        options,
      );
      Parts.push({ PartNumber, ETag: sent.ETag, ChecksumCRC32 });
    }
    await client.send(new sdk.CompleteMultipartUploadCommand({ Bucket, Key, UploadId: created, MultipartUpload: { Parts } }), options);
  } catch (error) {
    throw told(error, Bucket);
  }
}

/** What an earlier try has begun. Who may not ask begins anew. */
async function begunUpload({ sdk, client, Bucket, Key, signal }: Target): Promise<string | undefined> {
  try {
    const { Uploads = [] } = await client.send(new sdk.ListMultipartUploadsCommand({ Bucket, Prefix: Key }), { abortSignal: signal });
    return Uploads.findLast((upload) => upload.Key === Key)?.UploadId;
  } catch (error) {
    if (error instanceof sdk.S3ServiceException && [403, 404, 501].includes(error.$metadata.httpStatusCode ?? 0)) return undefined;
    throw error;
  }
}

async function partsOf({ sdk, client, Bucket, Key, signal }: Target, UploadId: string): Promise<Map<number, CompletedPart>> {
  const has = new Map<number, CompletedPart>();
  // Not by the SDK's own pages: a server that never says that it is at the end would be asked for ever.
  for (let after = 0; ;) {
    const asked = new sdk.ListPartsCommand({ Bucket, Key, UploadId, PartNumberMarker: String(after) });
    const { Parts = [], IsTruncated, NextPartNumberMarker } = await client.send(asked, { abortSignal: signal });
    for (const { PartNumber = 0, ETag } of Parts) has.set(PartNumber, { PartNumber, ETag });
    const next = Number(NextPartNumberMarker);
    if (IsTruncated !== true || !(next > after)) return has;
    after = next;
  }
}

/** As S3 has it: Base64 of four bytes, the highest first. */
function checksumOf(bytes: Buffer): string {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(bytes));
  return checksum.toString('base64');
}

async function bytesAt(handle: FileHandle, position: number, size: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(size);
  for (let filled = 0; filled < size;) {
    const { bytesRead } = await handle.read(buffer, filled, size - filled, position + filled);
    if (bytesRead === 0) throw new Error(`ends ${size - filled} bytes too early`);
    filled += bytesRead;
  }
  return buffer;
}

/** In one line: what the SDK throws says little without the name of the fault and its status. */
function told(error: unknown, bucket: string): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  const what = error.message === '' || error.message === 'UnknownError' ? error.name : `${error.name}: ${error.message}`;
  return new Error(`bucket ${bucket}: ${what.replace(/\s+/g, ' ')}${status === undefined ? '' : ` (${status})`}`, { cause: error });
}
