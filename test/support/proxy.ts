/** A proxy in a folder of its own, and the records that it has written, read back by a library that is not ours. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WARCParser } from 'warcio';
import { createProxy, type Capture, type WarctapOptions, type WarctapProxy } from '../../src/index.ts';
import type { Log } from '../../src/util/log.ts';
import { testCaFile } from './certificate.ts';

export interface TestProxy extends AsyncDisposable {
  readonly proxy: WarctapProxy;
  readonly port: number;
  /** holds `warcs` and `certs` */
  readonly dir: string;
  /** certificate of the authority */
  readonly ca: string;
  /** captures that have left the chain */
  readonly captures: readonly Capture[];
  /** Resolves when so many captures have left the chain since the start. */
  captured(count: number): Promise<void>;
  /** Resolves with the first capture of this URL, once it has left the chain. */
  captureOf(url: string): Promise<Capture>;
  /** Close the proxy and read all its WARC files. */
  records(): Promise<TestRecord[]>;
}

export interface TestRecord {
  readonly type: string;
  readonly url: string;
  /** names in lower case */
  readonly fields: ReadonlyMap<string, string>;
  readonly block: Buffer;
}

/** @param folder of an earlier proxy, to go on with its files */
export async function startProxy(options: WarctapOptions & { log?: Log } = {}, folder?: string): Promise<TestProxy> {
  const dir = folder ?? (await mkdtemp(join(tmpdir(), 'warctap-test-')));
  const captures: Capture[] = [];
  const waiting = new Set<() => void>();
  const proxy = await createProxy({
    port: 0,
    dir: join(dir, 'warcs'),
    cacert: await testCaFile(),
    certsDir: join(dir, 'certs'),
    minFreeSpace: 0,
    // What it is about has tests of its own, which ask for it.
    tlsEvidence: 'off',
    dedupDbFile: join(dir, 'db'),
    statsDbFile: join(dir, 'db'),
    allowLocalhost: true,
    ...options,
  }).catch(async (error: unknown) => {
    if (folder === undefined) await rm(dir, { recursive: true, force: true });
    throw error;
  });
  proxy.on('capture', (capture) => {
    captures.push(capture);
    for (const wake of waiting) wake();
  });
  const until = <Found>(look: () => Found | undefined): Promise<Found> =>
    new Promise((resolve) => {
      const wake = () => {
        const found = look();
        if (found === undefined) return;
        waiting.delete(wake);
        resolve(found);
      };
      waiting.add(wake);
      wake();
    });
  return {
    proxy,
    port: proxy.port,
    dir,
    ca: proxy.caCertificatePem,
    captures,
    captured: async (count) => {
      await until(() => (captures.length < count ? undefined : captures));
    },
    captureOf: (url) => until(() => captures.find((capture) => capture.url === url)),
    async records() {
      await proxy.close();
      return readFolder(join(dir, 'warcs'));
    },
    async [Symbol.asyncDispose]() {
      await proxy.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** All records of all files of a folder, but warcinfo, in the order of the files' names. */
export async function readFolder(dir: string): Promise<TestRecord[]> {
  const records: TestRecord[] = [];
  for (const name of (await readdir(dir, { recursive: true })).sort()) {
    if (!/\.warc(\.gz)?(\.open)?$/.test(name)) continue;
    const parser = new WARCParser(createReadStream(join(dir, name)), { parseHttp: false });
    for await (const record of parser) {
      const block = Buffer.from(await record.readFully(false));
      const fields = new Map<string, string>();
      for (const [field, value] of record.warcHeaders.headers) fields.set(field.toLowerCase(), value);
      const type = record.warcType;
      // The library's parsed target is not what stands in the file: it goes through URL.
      if (type !== 'warcinfo') records.push({ type, url: fields.get('warc-target-uri') ?? '', fields, block });
    }
  }
  return records;
}

/** Bytes of all files of a folder, for what no reader may hide. */
export async function filesIn(dir: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const name of (await readdir(dir)).sort()) files.set(name, await readFile(join(dir, name)));
  return files;
}
