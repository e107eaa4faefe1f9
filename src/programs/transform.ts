/**
 * The transformation service: an HTTP side, workers, or both, over one working folder.
 *
 *   listener ─ pages ─ server ─► queue (files) ─► worker pool ─► a process for each job
 *                                done  (files) ◄─
 *
 * Wires rooms together, and closes them in reverse. Nothing else.
 */
import { EventEmitter } from 'node:events';
import { join, resolve as absolute } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { Applications } from '../auth/applications.ts';
import { plainAnswer } from '../http/answer.ts';
import type { Handler } from '../http/sides.ts';
import type { TransformSettings } from '../options/rows/transform.ts';
import { Listener } from '../serve/listener.ts';
import { openAccess, signedAccess } from '../transform/access.ts';
import { cleanUp, sweepEveryMs } from '../transform/clean-up.ts';
import { describeTransformations } from '../transform/describe.ts';
import { Intake } from '../transform/intake.ts';
import { JobStore } from '../transform/job-store.ts';
import { ResultWatch } from '../transform/result-watch.ts';
import { createServer } from '../transform/server.ts';
import { Sessions } from '../transform/sessions.ts';
import { createWebPage } from '../transform/web-page.ts';
import { WorkerPool } from '../transform/worker-pool.ts';
import { loadFileLock } from '../util/file-lock.ts';
import { makeFolders } from '../util/folder.ts';
import type { Log } from '../util/log.ts';
import { codeOf, allInOrder } from '../util/thrown.ts';
import { readVersion } from '../util/version.ts';
import { serveFetch } from '../web/pages.ts';

export interface TransformParts {
  readonly settings: TransformSettings;
  readonly http: boolean;
  readonly workers: boolean;
  /** what modules of transformations are relative to */
  readonly cwd: string;
  /** of the processes that jobs run in */
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
}

/** The port is taken, or the address is not ours; told in the words of the reference. */
export class SocketError extends Error {
  override readonly name = 'SocketError';
  readonly code = 'WARCTAP_SOCKET';
}

const MAX_CONNECTIONS = 1000;
const SOCKET_TIMEOUT_MS = 60_000;
const MIN_BYTES_PER_SECOND = 10;
/** For answers to those who wait when the program ends. */
const LAST_ANSWERS_MS = 1000;

export interface RunningTransform extends AsyncDisposable {
  /** such as `http://127.0.0.1:8000`; undefined without an HTTP side */
  readonly url: string | undefined;
  close(): Promise<void>;
  on(event: 'fatal', listener: (error: Error) => void): unknown;
}

/** @throws SocketError, ModuleError, KeyFileError, or the system's error */
export async function openTransform(parts: TransformParts): Promise<RunningTransform> {
  const closing: (() => Promise<void> | void)[] = [];
  const close = () => allInOrder(closing.splice(0).reverse());
  try {
    const url = await open(parts, (each) => closing.push(each));
    return Object.assign(new EventEmitter(), { url, close, [Symbol.asyncDispose]: close });
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

async function open(
  { settings, http, workers, cwd, env, log }: TransformParts,
  onClose: (close: () => Promise<void> | void) => void,
): Promise<string | undefined> {
  const dir = absolute(settings.workingDir);
  const tempDir = absolute(settings.tempDir ?? join(dir, 'tmp'));
  const lock = loadFileLock();
  await makeFolders(dir, 0o700);
  const store = await JobStore.open({ dir, tempDir, lock });
  const limits = { maxUnpacked: settings.maxUnpacked, maxMembers: settings.maxMembers, folder: tempDir };
  const descriptions = await describeTransformations(settings.transformationsModule, cwd, env);
  let url: string | undefined;

  if (http) {
    const results = new ResultWatch(store, log);
    onClose(() => results.close());
    const intake = new Intake({ store, limits, maxBody: settings.maxBody });
    await cleanUp(store, settings.resultTtl);
    const sessions = settings.enableWebUi ? await openSessions(settings, dir) : undefined;
    await sessions?.sweep();
    const sweeping = setInterval(() => {
      const failed = (error: unknown) => log.warn({ err: error }, 'old files stay');
      cleanUp(store, settings.resultTtl).catch(failed);
      sessions?.sweep().catch(failed);
    }, sweepEveryMs(settings.resultTtl, ...(settings.enableWebUi ? [settings.webUiRemoveUserFilesDelay] : [])));
    onClose(() => clearInterval(sweeping));
    const fileLimits = { maxFileBytes: settings.maxBody, maxTotalBytes: settings.maxUnpacked, maxFiles: settings.maxMembers - 1 };
    const app = createServer({
      version: readVersion(),
      store,
      intake,
      results,
      access: settings.useAuth ? signedAccess(new Applications(dir, lock)) : openAccess,
      descriptions,
      format: settings.transformationsFormat,
      sharedJobs: settings.sharedJobs,
      resultTtlSeconds: settings.resultTtl,
      maxBody: settings.maxBody,
      webRoutes: sessions && (await createWebPage({ sessions, store, intake, results, limits: fileLimits })),
      log,
    });
    const answering = new Set<Promise<Response>>();
    const listener = new Listener({
      handler: handlerOf(app, answering, settings.accessLog, log),
      secureContexts: () => {
        throw new Error('there are no tunnels here');
      },
      socketTimeoutMs: SOCKET_TIMEOUT_MS,
      headTimeoutMs: SOCKET_TIMEOUT_MS,
      minRate: { bytesPerSecond: MIN_BYTES_PER_SECOND, windowMs: SOCKET_TIMEOUT_MS },
      maxConnections: MAX_CONNECTIONS,
      log,
    });
    url = await listen(listener, settings);
    onClose(async () => {
      listener.stop();
      // Those that wait for a result are told.
      results.close();
      await Promise.race([Promise.allSettled(answering), setTimeout(LAST_ANSWERS_MS, undefined, { ref: false })]);
      await setImmediate();
      await listener.close();
    });
  }

  if (workers || settings.immediateMode) {
    const pool = await WorkerPool.start({
      store,
      workers: settings.immediateMode ? 1 : settings.workers,
      settings: {
        limits,
        timeoutSeconds: settings.jobTimeout,
        modules: settings.transformationsModule,
        cwd,
        env,
        hookHosts: settings.allowedWebhookHosts,
      },
      resultTtlSeconds: settings.resultTtl,
      log,
    });
    onClose(() => pool.close());
  }
  return url;
}

function openSessions(settings: TransformSettings, dir: string): Promise<Sessions> {
  return Sessions.open({
    dir: join(dir, 'web_ui_sessions'),
    key: settings.webUiCryptKey,
    secure: settings.webUiSecureCookie,
    ttlSeconds: settings.webUiRemoveUserFilesDelay,
  });
}

async function listen(listener: Listener, { host, port }: TransformSettings): Promise<string> {
  try {
    const { address, port: bound, family } = await listener.listen(port, host);
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`;
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE' && codeOf(error) !== 'EADDRNOTAVAIL' && codeOf(error) !== 'EACCES') throw error;
    throw new SocketError(`Socket ${host}/${port} is not available. Please check your configuration.`, { cause: error });
  }
}

/** Methods that a Request cannot have (Fetch Standard, forbidden methods). */
const FORBIDDEN = new Set(['CONNECT', 'TRACE', 'TRACK']);

function handlerOf(app: (request: Request) => Promise<Response>, answering: Set<Promise<Response>>, accessLog: boolean, log: Log): Handler {
  return (request, client) => {
    const { method, target } = request.head;
    if (FORBIDDEN.has(method))
      return client.answer({ ...plainAnswer(405, 'Method Not Allowed'), fields: [['Allow', 'GET, HEAD, POST']] }, true);
    // As the beginning of a URL it would be a host.
    if (target.startsWith('//')) return client.answer(plainAnswer(404, 'Not Found'), true);
    const logged = async (asked: Request) => {
      const answer = app(asked);
      answering.add(answer);
      const response = await answer.finally(() => answering.delete(answer));
      if (accessLog) log.info({ client: client.address, method, path: target.split('?', 1)[0], status: response.status }, 'request');
      return response;
    };
    serveFetch(logged, request, client, log);
  };
}
