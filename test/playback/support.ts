/** A playback proxy over WARC files that the product's own writer makes, in a folder of its own. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SecureContext } from 'node:tls';
import type { TestContext } from 'node:test';
import { loadOrCreateCa } from '../../src/ca/authority.ts';
import { openLeafStore } from '../../src/ca/contexts.ts';
import type { Capture } from '../../src/capture/capture.ts';
import { playbackHandler } from '../../src/playback/handler.ts';
import { playback } from '../../src/playback/answer.ts';
import { playbackIndexer } from '../../src/archive/playback-index.ts';
import { warcWriter } from '../../src/archive/warc-writer.ts';
import { withTunnels } from '../../src/serve/connect.ts';
import { Listener } from '../../src/serve/listener.ts';
import { Databases } from '../../src/store/level/database.ts';
import { levelPlayback } from '../../src/store/level/playback.ts';
import type { PlaybackIndex } from '../../src/store/playback.ts';
import { silentLog, type Log } from '../../src/util/log.ts';
import type { WarcVersion } from '../../src/warc/fields.ts';
import { RawClient } from '../support/client.ts';
import { testCaFile } from '../support/certificate.ts';
import { exchange, pool, recordOptions, STARTED, type ExchangeParts } from '../warc/support.ts';

export interface TestPlayback {
  readonly port: number;
  readonly index: PlaybackIndex;
  /** of the WARC files */
  readonly dir: string;
  readonly ca: string;
  /** Close all connections, and wait until their files are let go of. */
  close(): Promise<void>;
  /** Write captures and index them, as the chain does with one batch. */
  archive(...captures: Capture[]): Promise<void>;
  /** Close the WARC files, so that they get their final names. */
  closeFiles(): Promise<void>;
  /** Connect, ask, and read one answer. */
  get(url: string, more?: TestRequest): Promise<TestAnswer>;
}

export interface TestRequest {
  readonly method?: string;
  /** field lines, each with its CRLF */
  readonly fields?: string;
  /** sent with its length */
  readonly body?: string | Buffer;
}

export interface TestAnswer {
  readonly status: number;
  /** without the fields of Memento */
  readonly head: string;
  readonly body: Buffer;
  /** value of a field of the whole head */
  readonly field: (name: string) => string | undefined;
}

export interface TestPlaybackOptions {
  readonly gzip?: boolean;
  readonly subdirPrefix?: boolean;
  readonly version?: WarcVersion;
  readonly socketTimeoutMs?: number;
  readonly log?: Log;
}

export async function startPlayback(t: TestContext, options: TestPlaybackOptions = {}): Promise<TestPlayback> {
  const { gzip = false, subdirPrefix = false, version = '1.1', socketTimeoutMs = 10_000, log = silentLog } = options;
  const home = await mkdtemp(join(tmpdir(), 'warctap-playback-'));
  const dir = join(home, 'warcs');
  const databases = new Databases();
  const index = levelPlayback((await databases.open(join(home, 'db'))).section('playback'));
  await mkdir(dir);
  const writers = pool(dir, { gzip, subdirPrefix, version });
  const writer = warcWriter({ pool: writers, records: recordOptions(version), methods: [], log });
  const indexer = playbackIndexer({ index });

  const ca = await loadOrCreateCa({ file: await testCaFile(), hostname: 'test', log });
  const leaves = await openLeafStore({ ca, dir: join(home, 'certs'), log });
  const secureContexts = (host: string): SecureContext | Promise<SecureContext> => leaves.secureContext(host);
  const bounds = { socketTimeoutMs, headTimeoutMs: socketTimeoutMs, minRate: { bytesPerSecond: 0, windowMs: 1000 } };
  const played = playbackHandler({ playback: playback({ index, dir, log }), log });
  const listener = new Listener({ handler: withTunnels(played.handler), secureContexts, ...bounds, maxConnections: 100, log });
  const { port } = await listener.listen(0, '127.0.0.1');
  const close = async () => {
    await listener.close();
    await played.settled();
  };
  t.after(async () => {
    await close();
    await writers.close();
    await leaves.close();
    await databases.close();
    await rm(home, { recursive: true });
  });
  return {
    port,
    index,
    dir,
    ca: ca.certificatePem,
    close,
    async archive(...captures) {
      await writer.process(captures);
      await indexer.process(captures);
    },
    closeFiles: () => writers.close(),
    async get(url, { method = 'GET', fields = '', body } = {}) {
      using client = await RawClient.connect(port);
      const length = body === undefined ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
      client.send(`${method} ${url} HTTP/1.1\r\nHost: x\r\n${fields}${length}\r\n`);
      if (body !== undefined) client.send(Buffer.from(body));
      const answer = await client.response(method);
      const field = (name: string) => new RegExp(`^${name}: (.*)\r$`, 'im').exec(answer.head)?.[1];
      return { ...answer, head: withoutMemento(answer.head), field };
    },
  };
}

/** A head, or a whole answer, without the fields of Memento that each has: `memento.test.ts` looks at these. */
export function withoutMemento(answer: string): string {
  return answer.replace(/Memento-Datetime: .*\r\nLink: .*\r\nVary: Accept-Datetime, \*\r\n/, '');
}

/** A request with a body, as it is archived. */
export function posted(url: string, body: string, parts: ExchangeParts & { type?: string } = {}): ExchangeParts {
  const { method = 'POST', type } = parts;
  const fields = `${type === undefined ? '' : `Content-Type: ${type}\r\n`}Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return { ...parts, url, method, request: `${method} / HTTP/1.1\r\nHost: x\r\n${fields}\r\n${body}` };
}

/** An exchange some seconds after the others. */
export function later(seconds: number, parts: ExchangeParts): Capture {
  return { ...exchange(parts), startedAt: new Date(STARTED.getTime() + seconds * 1000) };
}

/** A revisit of an original that is archived already. */
export function revisitOf(original: Capture, parts: ExchangeParts): Capture {
  const [record] = original.outcome.records ?? [];
  return later(60, { ...parts, duplicateOf: { recordId: record!.id, url: original.url, date: record!.date } });
}
