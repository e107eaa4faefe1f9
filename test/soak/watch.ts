/** What can be seen of the program from outside: /proc, its `/status`, and the file of the probe. Linux only. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { LOGIN } from './plan.ts';
import { Wire } from './wire.ts';

export const STATUS_REQUEST = `GET /status HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic ${btoa(LOGIN)}\r\n\r\n`;

export interface Handles {
  readonly all: number;
  readonly sockets: number;
  /** temporary files, which have no name */
  readonly nameless: number;
}

export interface Sample {
  readonly atMs: number;
  readonly rssBytes: number;
  readonly handles: Handles;
  readonly status: Status;
  readonly inside: Inside;
}

/** What the probe has seen since it was last asked. */
export interface Inside {
  /** longest pause of the event loop */
  readonly pauseMs: number;
  /** longest pause that the process itself can have filled */
  readonly busyMs: number;
  readonly heapBytes: number;
}

export interface Status {
  readonly active_requests: number;
  readonly unaccepted_requests: number;
  readonly queued_urls: number;
  readonly urls_processed: number;
  readonly warc_bytes_written: number;
  readonly postfetch_chain: readonly { readonly processor: string; readonly queued_urls: number; readonly errors: number }[];
}

/** Reads the file of the probe, each line once. */
export class Probe {
  readonly #file: string;
  #linesRead = 0;
  #heapBytes = 0;

  constructor(file: string) {
    this.#file = file;
  }

  read(): Inside {
    const lines = readFileSync(this.#file, 'utf8').split('\n').slice(0, -1);
    const seen = lines.slice(this.#linesRead).map((line) => JSON.parse(line) as Inside);
    this.#linesRead = lines.length;
    this.#heapBytes = seen.at(-1)?.heapBytes ?? this.#heapBytes;
    return {
      pauseMs: Math.max(0, ...seen.map(({ pauseMs }) => pauseMs)),
      busyMs: Math.max(0, ...seen.map(({ busyMs }) => busyMs)),
      heapBytes: this.#heapBytes,
    };
  }
}

export function rssBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** The most that it has ever been. */
export function peakRssBytes(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

export function handles(pid: number): Handles {
  const targets = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      // Closed since.
      return [];
    }
  });
  return {
    all: targets.length,
    sockets: targets.filter((target) => target.startsWith('socket:')).length,
    nameless: targets.filter((target) => target.startsWith('/') && target.endsWith(' (deleted)')).length,
  };
}

export async function status(port: number): Promise<Status> {
  using wire = await Wire.connect(port);
  wire.write(STATUS_REQUEST);
  return JSON.parse((await wire.response('GET')).body.toString()) as Status;
}

export class Watch {
  readonly samples: Sample[] = [];
  readonly #pid: number;
  readonly #port: number;
  readonly #probe: Probe;
  readonly #startMs = performance.now();

  constructor(pid: number, port: number, probeFile: string) {
    this.#pid = pid;
    this.#port = port;
    this.#probe = new Probe(probeFile);
  }

  async sample(): Promise<Sample> {
    const seen = await status(this.#port);
    const sample = {
      atMs: performance.now() - this.#startMs,
      rssBytes: rssBytes(this.#pid),
      handles: handles(this.#pid),
      status: seen,
      inside: this.#probe.read(),
    };
    this.samples.push(sample);
    return sample;
  }
}
