/**
 * A worker as the primary process sees it: a process, the wire to it, and what it has of the stores.
 */
import { fork, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { serveStores, type Served, type SharedStores } from '../../store/remote/server.ts';
import { reasonOf } from '../../util/thrown.ts';
import { Wire, type WireHandlers } from '../../util/wire.ts';
import type { Figures } from '../figures.ts';
import { summedFigures } from './summed.ts';
import { Asked } from './asked.ts';
import type { Taker } from './distributor.ts';
import { resultOf, SAYS_FD, TOLD_FD, type Door, type Outcome, type LookForm, type Started, type Task } from './said.ts';
import { ToldEvents } from './told-events.ts';

export class WorkerProcess implements Taker {
  readonly number: number;
  readonly wire: Wire;
  readonly served: Served;
  /** what it has told of itself last */
  figures: Figures = summedFigures([]);
  /** what it is doing, when it is asked */
  readonly look: Asked<LookForm>;
  readonly events: ToldEvents;
  /** such as `exit code 1`: resolves once it has ended, and everything that it has said has been heard */
  readonly gone: Promise<string>;
  readonly #child: ChildProcess;

  /** @param entry the file that it runs */
  constructor(number: number, entry: string, stores: SharedStores, handlers: WireHandlers) {
    this.number = number;
    // What the launcher sets for this process, too.
    const execArgv = [...process.execArgv, '--no-concurrent-marking'];
    const child = (this.#child = fork(entry, [], { execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe', 'pipe'] }));
    const streams: readonly unknown[] = child.stdio;
    const [said, told] = [streams[SAYS_FD], streams[TOLD_FD]];
    if (!(said instanceof Duplex && told instanceof Duplex))
      throw new Error('a worker could not be started: there is no way to speak with it');
    this.wire = new Wire(said, told, handlers);
    this.look = new Asked(() => this.wire.call('look') as Promise<LookForm>);
    this.events = new ToldEvents(this.wire);
    this.served = serveStores(this.wire, stores);
    const ended = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${String(code)}`));
      child.once('error', (error) => resolve(reasonOf(error)));
    });
    this.gone = ended.then(async (how) => {
      await this.wire.closed;
      return how;
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** @throws what keeps it from starting */
  async start(task: Task): Promise<Started> {
    return resultOf((await this.wire.call('start', task)) as Outcome<Started>);
  }

  /** What waits for an earlier one to have arrived when it dies Node forgets: then it is neither sent nor not. */
  hand(door: Door, socket: Socket, sent: (sent: boolean) => void): void {
    this.#child.send(door, socket, { keepOpen: true }, (error) => sent(error === null));
  }

  kill(): void {
    this.#child.kill('SIGKILL');
    this.wire.destroy();
  }
}
