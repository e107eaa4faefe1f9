/**
 * The clients of a soak: sessions of the plan, each on connections of its own, some of which do not behave.
 *
 * Every answer is compared with what the origin has sent, and what the archive must hold of it is entered in the ledger.
 */
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { STATE, type Ledger } from './ledger.ts';
import { differing } from './origin.ts';
import { LIMIT, LOGIN_LINE, type Plan, type Session, type Step } from './plan.ts';
import { STATUS_REQUEST } from './watch.ts';
import { Wire, type Response } from './wire.ts';

export interface TrafficOptions {
  readonly plan: Plan;
  readonly ledger: Ledger;
  readonly proxyPort: number;
  readonly playbackPort: number;
  /** certificate of the proxy's authority */
  readonly ca: string;
  readonly report: (fault: string) => void;
  readonly bytesPerSecond: number;
  readonly clients: number;
}

const OF_A_SESSION_BYTES = 25_000;
/** An exchange answered so long ago is in the index of playback. */
const SETTLED_MS = 3000;
const CLIENT_HELLO_START = Buffer.from('16030102000100', 'hex');
const GARBAGE = [
  'GET / HTTP/1.1\r\nHost : x\r\n\r\n',
  'GET http://h1.localhost/ HTTP/1.1\nHost: h1.localhost\n\n',
  'GET http://h1.localhost/ HTTP/2.0\r\nHost: h1.localhost\r\n\r\n',
  'POST http://h1.localhost/ HTTP/1.1\r\nHost: h1.localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
  `GET http://h1.localhost/ HTTP/1.1\r\nHost: h1.localhost\r\n${LOGIN_LINE}Warcprox-Meta: {"limits": 1\r\n\r\n`,
  '\x16\x03\x01\x02\x00\x01\xff\xfe\x00\x03\r\n\r\n',
];

export class Traffic {
  readonly #options: TrafficOptions;
  #next = 0;
  #freeAtMs = 0;
  #answers = 0;
  readonly #settling: { step: Step; atMs: number }[] = [];
  #playable: Step[] = [];

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  get sessions(): number {
    return this.#next;
  }

  /** Requests that were answered, whatever the answer. */
  get answers(): number {
    return this.#answers;
  }

  /** Run sessions until the signal; those that have begun are finished. */
  async run(until: AbortSignal): Promise<void> {
    this.#freeAtMs = performance.now();
    await Promise.all(Array.from({ length: this.#options.clients }, () => this.#client(until)));
  }

  async #client(until: AbortSignal): Promise<void> {
    const { plan, bytesPerSecond, report } = this.#options;
    while (!until.aborted) {
      const session = plan.session(this.#next++);
      const startMs = Math.max(this.#freeAtMs, performance.now() - 1000);
      this.#freeAtMs = startMs + ((plan.cost(session) + OF_A_SESSION_BYTES) / bytesPerSecond) * 1000;
      if (!(await elapsed(startMs - performance.now(), until))) return;
      try {
        await this.#session(session);
      } catch (error) {
        report(`session ${session.number} (${session.kind}): ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  async #session(session: Session): Promise<void> {
    switch (session.kind) {
      case 'pipeline':
        return this.#pipeline(session);
      case 'leaves-answer':
      case 'leaves-upload':
        return this.#leave(session);
      case 'leaves-handshake':
        return this.#leaveHandshake(session);
      case 'garbage':
        return this.#garbage(session);
      case 'status':
        return this.#status();
      case 'playback':
        return this.#playback();
      case 'again':
        return this.#again(session);
      case 'not-logged-in':
        return this.#notLoggedIn(session);
      default:
        return this.#oneByOne(session);
    }
  }

  #connect({ kind, tls, authority }: Session): Promise<Wire> {
    const { proxyPort, ca } = this.#options;
    if (tls) return Wire.tunnel(proxyPort, authority, ca);
    return kind === 'http-tunnel' ? Wire.tunnel(proxyPort, authority) : Wire.connect(proxyPort);
  }

  #target({ kind, tls }: Session, step: Step): string {
    if (step.method === 'WARCPROX_WRITE_RECORD') return step.url;
    return tls || kind === 'http-tunnel' ? step.path : step.url;
  }

  async #oneByOne(session: Session): Promise<void> {
    let wire: Wire | undefined;
    try {
      for (const [at, step] of session.steps.entries()) {
        wire ??= await this.#connect(session);
        const response = await this.#ask(wire, session, step);
        this.#answers++;
        this.#judge(session, step, at, response);
        if (!response.last) continue;
        wire[Symbol.dispose]();
        wire = undefined;
      }
    } finally {
      wire?.[Symbol.dispose]();
    }
  }

  async #ask(wire: Wire, session: Session, step: Step): Promise<Response> {
    const { plan } = this.#options;
    wire.write(plan.requestHead(step, this.#target(session, step), false));
    if (step.upload?.kind === 'expect') {
      const head = await wire.head();
      if (!head.startsWith('HTTP/1.1 100 ')) throw new Error(`${step.url}: answered ${head} instead of 100`);
    }
    if (step.upload !== undefined) wire.write(plan.uploadBytes(step));
    if (session.kind === 'slow-reader') {
      wire.socket.pause();
      await elapsed(500);
      wire.socket.resume();
    }
    const interim: string[] = [];
    const response = await wire.response(step.method, (head) => interim.push(head));
    const expected = plan.answer(step).interim;
    if (response.status < 300 && interim.join('') !== expected) this.#fault(step, `interim answers ${JSON.stringify(interim)}`);
    return response;
  }

  /** Compare an answer with what it should be, and enter what follows from it. */
  #judge({ kind, tls }: Session, step: Step, at: number, response: Response): void {
    const { ledger } = this.#options;
    const { status, head, cut } = response;
    const refused = (expected: number, field: string) => {
      if (status !== expected || !head.includes(field)) this.#fault(step, `answered ${head}`);
      ledger.set(step, STATE.none);
    };
    if (kind === 'limits' && at >= LIMIT) return refused('limits' in step.meta ? 420 : 430, 'Warcprox-Meta: {"stats":');
    if (kind === 'blocked') return refused(403, 'Warcprox-Meta: {"blocked-by-rule":');
    const fails = kind === 'refused' || kind === 'bad-tls' || step.answering === 'nonsense' || step.answering === 'no-answer';
    if (fails || (step.answering === 'reset' && status === 502)) {
      if (status !== 502) this.#fault(step, `answered ${head}`);
      return ledger.set(step, STATE.failed);
    }
    if (step.method === 'WARCPROX_WRITE_RECORD') {
      if (status !== 204) this.#fault(step, `answered ${head}${response.body.toString()}`);
      return ledger.set(step, STATE.archived);
    }
    this.#compare(step, response);
    const isTooLarge = this.#options.plan.isTooLarge(step);
    if (kind === 'not-archived') ledger.set(step, STATE.unwritten);
    else if (isTooLarge) {
      if (!cut && step.answering !== 'until-close') this.#fault(step, 'is too large, and looks whole to the client');
      ledger.set(step, STATE.truncated);
    } else if (
      step.answering === 'cut' ||
      step.answering === 'cut-chunks' ||
      step.answering === 'bad-chunk' ||
      step.answering === 'reset'
    ) {
      if (!cut) this.#fault(step, 'looks whole to the client');
      ledger.set(step, STATE.truncated);
    } else {
      if (cut) this.#fault(step, 'is cut');
      ledger.set(step, STATE.archived);
      if (!tls && step.answering === 'length' && step.method === 'GET') this.#settling.push({ step, atMs: performance.now() });
    }
  }

  #compare(step: Step, { status, head, body, cut }: Response): void {
    const { bytes, headSize, payload } = this.#options.plan.answer(step);
    const expectedStatus = Number(/^HTTP\/1\.1 (\d+)/.exec(bytes.toString('latin1', 0, 20))?.[1]);
    if (status !== expectedStatus || !head.includes(`X-Id: ${step.index}\r\n`)) return this.#fault(step, `answered ${head}`);
    if (status === 204 || status === 304) return;
    const whole = step.minor === 0 ? payload : bytes.subarray(headSize);
    const expected = cut || this.#options.plan.isTooLarge(step) ? whole.subarray(0, body.length) : whole;
    if (!body.equals(expected)) this.#fault(step, differing(body, expected));
  }

  async #pipeline(session: Session): Promise<void> {
    using wire = await this.#connect(session);
    for (const step of session.steps) wire.write(this.#options.plan.requestHead(step, this.#target(session, step), false));
    for (const [at, step] of session.steps.entries()) {
      const response = await wire.response(step.method);
      this.#judge(session, step, at, response);
      this.#answers++;
      // Cut, as it was too large: those behind it are not asked for.
      if (response.last) return;
    }
  }

  async #leave(session: Session): Promise<void> {
    const { plan, ledger } = this.#options;
    const [step] = session.steps;
    using wire = await this.#connect(session);
    wire.write(plan.requestHead(step!, this.#target(session, step!), false));
    if (session.kind === 'leaves-answer') {
      ledger.set(step!, STATE.left);
      await wire.head();
    } else {
      ledger.set(step!, STATE.abandoned);
      const body = plan.uploadBytes(step!);
      await new Promise((resolve) => wire.socket.write(body.subarray(0, Math.floor(body.length / 2)), resolve));
    }
    if (session.variant % 2 === 0 && !session.tls) wire.socket.resetAndDestroy();
  }

  async #leaveHandshake({ authority, variant }: Session): Promise<void> {
    const { proxyPort } = this.#options;
    if (variant % 5 === 0) return (await Wire.connect(proxyPort))[Symbol.dispose]();
    using wire = await Wire.tunnel(proxyPort, authority);
    if (variant % 5 === 1) await new Promise((resolve) => wire.socket.write(CLIENT_HELLO_START, resolve));
    if (variant % 5 === 2) {
      wire.write('neither TLS nor HTTP\r\n\r\n');
      const answer = (await wire.untilClosed()).toString('latin1');
      if (!answer.startsWith('HTTP/1.1 400 ')) throw new Error(`answered ${answer}`);
    }
    if (variant % 5 === 3) {
      // A client that does not trust the authority.
      wire.socket.removeAllListeners('data');
      const inner = connectTls({ socket: wire.socket, servername: authority.replace(/:\d+$/, '') });
      const [error] = (await once(inner, 'error')) as [NodeJS.ErrnoException];
      if (!/CERT|SIGNATURE|ISSUER/.test(error.code ?? '')) throw error;
    }
  }

  async #garbage({ variant }: Session): Promise<void> {
    using wire = await Wire.connect(this.#options.proxyPort);
    wire.write(GARBAGE[variant % GARBAGE.length]!);
    const answer = (await wire.untilClosed()).toString('latin1');
    if (!/^HTTP\/1\.1 (400|505) /.test(answer)) throw new Error(`answered ${JSON.stringify(answer)}`);
  }

  /** The same answer twice, of which the second is blacked out. */
  async #again(session: Session): Promise<void> {
    const [step] = session.steps;
    using wire = await this.#connect(session);
    for (let time = 0; time < 2; time++) {
      this.#judge(session, step!, 0, await this.#ask(wire, session, step!));
      this.#answers++;
    }
    this.#options.ledger.repeat(step!);
  }

  async #notLoggedIn({ authority, steps: [step], variant }: Session): Promise<void> {
    using wire = await Wire.connect(this.#options.proxyPort);
    const line = variant % 2 === 0 ? '' : `Proxy-Authorization: Basic ${btoa(`soak:${variant}`)}\r\n`;
    const target = variant % 3 === 0 ? `CONNECT ${authority}` : `GET ${step!.url}`;
    wire.write(`${target} HTTP/1.1\r\nHost: ${authority}\r\n${line}\r\n`);
    const { status } = await wire.response('GET');
    if (status !== 407) throw new Error(`answered ${status} without a log-in`);
  }

  async #status(): Promise<void> {
    using wire = await Wire.connect(this.#options.proxyPort);
    wire.write(STATUS_REQUEST);
    const { status, body } = await wire.response('GET');
    if (status !== 200) throw new Error(`/status was answered ${status}`);
    JSON.parse(body.toString());
  }

  /** One of the last answers again, out of the archive. */
  async #playback(): Promise<void> {
    const { plan, playbackPort } = this.#options;
    while ((this.#settling[0]?.atMs ?? Infinity) < performance.now() - SETTLED_MS) this.#playable.push(this.#settling.shift()!.step);
    this.#playable = this.#playable.slice(-500);
    const step = this.#playable[Math.floor(this.#playable.length / 2)];
    if (step === undefined) return;
    using wire = await Wire.connect(playbackPort);
    wire.write(`GET ${step.url} HTTP/1.1\r\nHost: ${step.host}\r\n${LOGIN_LINE}\r\n`);
    const { status, body } = await wire.response('GET');
    const { payload } = plan.answer(step);
    if (status !== 200 || !body.equals(payload)) this.#fault(step, `played back with status ${status}: ${differing(body, payload)}`);
  }

  #fault(step: Step, text: string): void {
    this.#options.report(`${step.method} ${step.url}: ${text}`);
  }
}

/** @returns false when the signal came first */
function elapsed(ms: number, until?: AbortSignal): Promise<boolean> {
  if (ms <= 0) return Promise.resolve(true);
  return new Promise((resolve) => {
    const done = (ended: boolean) => {
      clearTimeout(timer);
      until?.removeEventListener('abort', stopped);
      resolve(ended);
    };
    const stopped = () => done(false);
    const timer = setTimeout(() => done(true), ms);
    until?.addEventListener('abort', stopped);
  });
}
