/**
 * What must be in the archive: an entry for each request, made by the client that sent it, and compared with the WARC files and crawl logs.
 */
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WARCParser } from 'warcio';
import { differing } from './origin.ts';
import { MAX_STEPS, sha1, type Plan, type Step } from './plan.ts';

export const STATE = {
  /** was not sent, or was refused: neither archived nor logged */
  none: 0,
  /** archived once, byte for byte, and logged */
  archived: 1,
  /** archived once with WARC-Truncated, and logged */
  truncated: 2,
  /** answered, but by the client's own wish not archived; logged */
  unwritten: 3,
  /** no answer of the origin: not archived, logged as a failure */
  failed: 4,
  /** the client left after the request: archived if the origin has answered */
  left: 5,
  /** the client left within the request: not archived */
  abandoned: 6,
} as const;
export type State = (typeof STATE)[keyof typeof STATE];

const CAPACITY = 8_000_000;

interface Original {
  readonly index: number;
  readonly digest: string;
}

interface Revisit extends Original {
  readonly refersTo: string;
  readonly refersToUri: string;
}

/** What was found. */
export interface Archive {
  readonly files: number;
  readonly bytes: number;
  readonly records: number;
  readonly revisits: number;
  readonly logLines: number;
}

export class Ledger {
  readonly #plan: Plan;
  readonly #served: ReadonlySet<number>;
  readonly #report: (fault: string) => void;
  readonly #states = new Uint8Array(CAPACITY);
  readonly #principals = new Uint8Array(CAPACITY);
  readonly #requests = new Uint8Array(CAPACITY);
  readonly #logged = new Uint8Array(CAPACITY);
  /** that were answered a second time, which is logged and counted, but not written */
  readonly #repeated = new Set<number>();
  #end = 0;

  constructor(plan: Plan, served: ReadonlySet<number>, report: (fault: string) => void) {
    this.#plan = plan;
    this.#served = served;
    this.#report = report;
  }

  set({ index }: Step, state: State): void {
    this.#states[index] = state;
    this.#end = Math.max(this.#end, index + 1);
  }

  repeat({ index }: Step): void {
    this.#repeated.add(index);
  }

  get repeats(): number {
    return this.#repeated.size;
  }

  state(index: number): State {
    const state = this.#states[index] as State;
    return state === STATE.left && this.#served.has(index) ? STATE.archived : state;
  }

  /** Entries of this state. */
  count(...states: readonly State[]): number {
    let count = 0;
    for (let index = 0; index < this.#end; index++) if (states.includes(this.state(index))) count++;
    return count;
  }

  /** Processed URLs that were to be counted in a bucket of the client's. */
  counted(bucket: string): number {
    let count = 0;
    for (let index = 0; index < this.#end; index++) {
      const state = this.state(index);
      const isCounted = state === STATE.archived || state === STATE.truncated || state === STATE.unwritten;
      if (isCounted && this.#plan.step(index)?.statsBucket === bucket) count++;
    }
    return count;
  }

  /** Compare all that a run has left on the disk, once it has ended. */
  async judge(warcDir: string, crawlLogDir: string): Promise<Archive> {
    const originals = new Map<string, Original>();
    const revisits: Revisit[] = [];
    const originalsOf = new Map<string, number>();
    const names = (await readdir(warcDir)).sort();
    let records = 0;
    let bytes = 0;
    for (const name of names) {
      if (!name.endsWith('.warc.gz')) {
        this.#report(`${name} is no closed WARC file`);
        continue;
      }
      let principal: string | undefined;
      const evidence = new Set<string>();
      for await (const record of recordsOf(join(warcDir, name))) {
        if (record.type === 'warcinfo') continue;
        records++;
        bytes += record.block.length;
        const url = record.field('warc-target-uri');
        const index = Number(/^(?:urn:soak:|https?:\/\/[^/]+\/)(\d+)/.exec(url)?.[1]);
        const step = this.#plan.step(index);
        const fault = (text: string) => this.#report(`${name}: ${record.type} ${url}: ${text}`);
        if (record.type === 'metadata' && url.startsWith('tls:')) {
          const key = `${url} ${record.field('content-type')}`;
          if (evidence.has(key)) fault('its certificates are in this file already');
          if (record.field('warc-concurrent-to') !== principal) fault('does not belong to the record before it');
          evidence.add(key);
          continue;
        }
        if (step?.url !== url) {
          fault('nobody asked for it');
          continue;
        }
        if (record.type === 'request') {
          this.#requests[index]!++;
          const expected = this.#plan.received(step);
          if (!record.block.equals(expected)) fault(differing(record.block, expected));
          if (record.field('warc-concurrent-to') !== principal) fault('does not belong to the record before it');
          continue;
        }
        principal = record.field('warc-record-id');
        this.#principals[index]!++;
        if (!name.startsWith(`${step.prefix ?? 'SOAK'}-`)) fault('in a file of another prefix');
        if (step.method === 'WARCPROX_WRITE_RECORD') {
          if (record.type !== 'resource') fault('of another type');
          if (!record.block.equals(this.#plan.uploadBody(step))) fault(differing(record.block, this.#plan.uploadBody(step)));
          continue;
        }
        const wire = this.#plan.answer(step);
        const truncated = record.field('warc-truncated');
        const expected =
          record.type === 'revisit'
            ? wire.bytes.subarray(0, wire.headSize)
            : truncated === ''
              ? wire.bytes
              : wire.bytes.subarray(0, this.#cutSize(step, record.block.length));
        if (!record.block.equals(expected)) fault(differing(record.block, expected));
        const isCut = this.state(index) === STATE.truncated;
        if (record.type === 'response' && isCut !== (truncated !== '')) fault(`WARC-Truncated is "${truncated}"`);
        const digest = record.field('warc-payload-digest');
        if (!isCut && digest !== sha1(wire.payload)) fault('the payload digest is of something else');
        if (step.answering !== 'duplicate') {
          if (record.type !== 'response') fault('there is no other record of this payload');
        } else if (record.type === 'revisit') {
          revisits.push({
            index,
            digest,
            refersTo: record.field('warc-refers-to'),
            refersToUri: record.field('warc-refers-to-target-uri'),
          });
        } else {
          originals.set(principal, { index, digest });
          const key = `${digest}|${step.dedupBucket ?? ''}`;
          originalsOf.set(key, (originalsOf.get(key) ?? 0) + 1);
        }
      }
    }
    for (const [key, count] of originalsOf) if (count > 1) this.#report(`payload ${key} is archived ${count} times`);
    for (const { index, digest, refersTo, refersToUri } of revisits)
      this.#judgeRevisit(index, digest, originals.get(refersTo), refersToUri);
    const logLines = await this.#readLogs(crawlLogDir);
    this.#compare();
    return { files: names.length, bytes, records, revisits: revisits.length, logLines };
  }

  #judgeRevisit(index: number, digest: string, original: Original | undefined, refersToUri: string): void {
    const step = this.#plan.step(index)!;
    const first = original && this.#plan.step(original.index);
    if (first === undefined) this.#report(`revisit ${step.url}: refers to a record that is not there`);
    else if (original?.digest !== digest) this.#report(`revisit ${step.url}: refers to another payload`);
    else if (first.url !== refersToUri) this.#report(`revisit ${step.url}: refers to the URL ${refersToUri} instead of ${first.url}`);
    else if (first.dedupBucket !== step.dedupBucket) this.#report(`revisit ${step.url}: refers to a record of another bucket`);
  }

  /** A connection that was reset may have lost bytes that were sent. */
  #cutSize(step: Step, found: number): number {
    if (this.#plan.isTooLarge(step)) return found;
    const sent = this.#plan.answer(step).cutAt ?? Infinity;
    if (step.answering === 'reset') return Math.min(found, sent);
    return step.answering === 'bad-chunk' ? found : sent;
  }

  async #readLogs(dir: string): Promise<number> {
    let lines = 0;
    for (const name of await readdir(dir)) {
      for (const line of (await readFile(join(dir, name), 'latin1')).split('\n')) {
        if (line === '') continue;
        lines++;
        const [, status = '', , url = '', , , , , , , , , info = ''] = line.trim().split(/ +/);
        const index = Number(/^(?:urn:soak:|https?:\/\/[^/]+\/)(\d+)/.exec(url)?.[1]);
        if (this.#plan.step(index)?.url !== url) {
          if (!url.endsWith('/probe')) this.#report(`${name}: a line for ${url}, which nobody asked for`);
          continue;
        }
        this.#logged[index]!++;
        const state = this.state(index);
        if ((state === STATE.failed || state === STATE.abandoned) !== Number(status) < 0)
          this.#report(`${name}: ${url} has status ${status}`);
        const isWritten = info.includes('"warcFilename"');
        const isRepeat = this.#repeated.has(index) && this.#logged[index]! > 1;
        if (isWritten !== (!isRepeat && (state === STATE.archived || state === STATE.truncated)))
          this.#report(`${name}: ${url} has ${info}`);
      }
    }
    return lines;
  }

  #compare(): void {
    for (let index = 0; index < this.#end; index++) {
      const step = this.#plan.step(index);
      if (step === undefined) continue;
      const state = this.state(index);
      const [principals, requests, logged] = [this.#principals[index]!, this.#requests[index]!, this.#logged[index]!];
      const isWritten = state === STATE.archived || state === STATE.truncated;
      const isRecord = step.method === 'WARCPROX_WRITE_RECORD';
      const fault = (text: string) => this.#report(`${step.method} ${step.url} (session ${Math.floor(index / MAX_STEPS)}): ${text}`);
      const isOpen = state === STATE.left;
      if (principals !== Number(isWritten) && !(isOpen && principals < 2)) fault(`in the archive ${principals} times`);
      if (requests !== (isRecord ? 0 : principals)) fault(`its request is in the archive ${requests} times`);
      const mayBeLogged = isOpen || state === STATE.abandoned;
      const expected = Number(state !== STATE.none) + Number(this.#repeated.has(index));
      if (logged !== expected && !(mayBeLogged && logged < 2)) fault(`in the crawl log ${logged} times`);
    }
  }
}

interface FoundRecord {
  readonly type: string;
  readonly block: Buffer;
  /** name in lower case; empty when there is none */
  field(name: string): string;
}

/** By a library that is not ours. */
async function* recordsOf(file: string): AsyncGenerator<FoundRecord> {
  const parser = new WARCParser(createReadStream(file), { parseHttp: false });
  for await (const record of parser) {
    const fields = new Map<string, string>();
    for (const [field, value] of record.warcHeaders.headers) fields.set(field.toLowerCase(), value);
    const block = Buffer.from(await record.readFully(false));
    yield { type: record.warcType, block, field: (name) => fields.get(name) ?? '' };
  }
}
