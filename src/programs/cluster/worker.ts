/**
 * A worker: a proxy that shares its port with others, and whose stores are those of the primary process.
 *
 * Obeys that one alone: signals that a terminal or a supervisor sends to all processes are for it. When it is gone, the worker ends at once,
 * as the next start sees to what it leaves.
 */
import { Socket } from 'node:net';
import type { Capture } from '../../capture/capture.ts';
import { remoteDedup } from '../../store/remote/dedup.ts';
import { ToldFiles } from '../../store/remote/files.ts';
import { remoteMoments } from '../../store/remote/moments.ts';
import { remotePlayback } from '../../store/remote/playback.ts';
import { remoteStatistics } from '../../store/remote/statistics.ts';
import type { Log } from '../../util/log.ts';
import { reasonOf } from '../../util/thrown.ts';
import type { Wire } from '../../util/wire.ts';
import type { ResolvedOptions } from '../../options/table.ts';
import type { Among } from '../core-parts.ts';
import type { Listener } from '../../serve/listener.ts';
import type { OpenedProxy, WarctapProxy } from '../proxy.ts';
import { startProxy } from '../start-proxy.ts';
import { remotePages } from './relayed-pages.ts';
import { formOfStatus, outcomeOf, type Done, type Door, type Started, type Task } from './said.ts';
import { eventsFrom } from './told-events.ts';

/** A log that can be told how much to say. */
export type WorkerLog = Log & { level: string };

export interface WorkerParts {
  readonly wire: Wire;
  /** whose lines go to the primary process */
  readonly openLog: (level: string, worker: number) => WorkerLog;
  /** told of each capture */
  readonly onCapture: (capture: Capture) => void;
}

/** Figures are told so often, if they have changed. */
const FIGURES_MS = 250;
const NOT_OURS = ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGUSR2'] as const;

/** Runs until the primary process has it end, or is gone. */
export function runWorker({ wire, openLog, onCapture }: WorkerParts): void {
  for (const signal of NOT_OURS) process.on(signal, () => undefined);
  const life = { over: false };
  void wire.closed.then(() => (life.over ? process.exit() : process.kill(process.pid, 'SIGKILL')));
  wire.serve({
    start: (task: Task) =>
      outcomeOf(async () => {
        const log = openLog(task.logLevel, task.number);
        const opened: Partial<OpenedProxy> = {};
        const remote = remotePages(wire);
        const proxy = await startProxy(task.options, log, {
          others: {
            among: amongOthers(wire, task),
            onOpen: (all) => void Object.assign(opened, all),
            listen: (listener, door) => receive(wire, door, listener, task),
            moments: remoteMoments(wire),
            ...{ pages: remote.pages, known: remote.known, endPages: () => remote.end() },
          },
        });
        serve(wire, proxy, opened, life, log);
        proxy.on('capture', onCapture);
        proxy.on('fatal', (error) => wire.tell('fatal', reasonOf(error)));
        endAtFaults(proxy, log);
        return startedAs(proxy);
      }),
  });
}

/** Connections come one by one: the next once one is taken. */
function receive(wire: Wire, door: Door, listener: Listener, { doors }: Task): void {
  const address = doors[door];
  if (address === undefined) throw new Error(`nobody listens for ${door}`);
  const take = listener.listenBy(address);
  let left = 0;
  const tellLeft = () => {
    wire.tell('left', door, left);
    left = 0;
  };
  process.on('message', (at: unknown, socket: unknown) => {
    if (at !== door) return;
    wire.tell('took', door);
    // One that its client has closed already may not arrive.
    const gone = () => {
      if (left++ === 0) setImmediate(tellLeft);
    };
    if (!(socket instanceof Socket)) return gone();
    socket.on('error', () => undefined).once('close', gone);
    take(socket);
  });
}

function amongOthers(wire: Wire, { number, of, stores }: Task): Among {
  return {
    number,
    of,
    stores: {
      // What is shown of them the primary process knows.
      databases: { states: [], close: () => Promise.resolve() },
      dedup: stores.dedup ? remoteDedup(wire) : undefined,
      stats: stores.stats ? remoteStatistics(wire) : undefined,
      playback: stores.playback ? remotePlayback(wire) : undefined,
      openFiles: new ToldFiles(wire),
    },
    finished: { add: (file, prefix) => wire.tell('finished', file, prefix) },
    async settled() {
      await wire.call('settled');
    },
  };
}

function serve(
  wire: Wire,
  proxy: WarctapProxy,
  { core, watched, look }: Partial<OpenedProxy>,
  life: { over: boolean },
  log: WorkerLog,
): void {
  let told = '';
  const tellFigures = () => {
    const figures = proxy.figures();
    const text = JSON.stringify(figures);
    if (text === told || watched === undefined) return;
    told = text;
    wire.tell('done', { figures, counted: watched.counts.take(), named: watched.jobs.take() } satisfies Done);
  };
  setInterval(tellFigures, FIGURES_MS).unref();
  let due = false;
  // Once for a batch: what a worker has done is not to die with it.
  proxy.on('capture', () => {
    if (due) return;
    due = true;
    setImmediate(() => {
      due = false;
      tellFigures();
    });
  });
  wire.serve({
    settle: () => core?.settled(),
    look: async () => {
      const looked = await look?.();
      return looked && { ...looked, status: formOfStatus(looked.status) };
    },
    events: (from: number) => watched && eventsFrom(watched.recent, from),
    reload: (options: ResolvedOptions) => outcomeOf(() => proxy.reload(options)),
    level: (level: string) => void (log.level = level),
    close: async () => {
      const outcome = await outcomeOf(() => proxy.close());
      tellFigures();
      life.over = true;
      // After the answer.
      setImmediate(() => void wire.end());
      return outcome;
    },
  });
}

function startedAs(proxy: WarctapProxy): Started {
  const { url, address, port, playbackUrl, caFile } = proxy;
  return { url, address, port, playbackUrl, caFile };
}

function endAtFaults(proxy: WarctapProxy, log: Log): void {
  process.on('uncaughtException', (error) => {
    if (proxy.blame(error)) return;
    log.error({ err: error }, `a fault in warctap, exiting at once: ${reasonOf(error)}`);
    process.exit(1);
  });
}
