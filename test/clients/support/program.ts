/**
 * The real program as users start it: `bin/warctap.js` over what `npm run build` has made, stopped by SIGTERM.
 *
 * Gives each program a folder of its own for WARC files. The folders are kept until the tests of the file are over, so that the last of
 * them can show all files to other people's readers.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { testCaFile } from '../../support/certificate.ts';
import { readFolder, type TestRecord } from '../../support/proxy.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const launcher = join(root, 'bin/warctap.js');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** as the start block tells them */
  readonly caFile: string;
  readonly warcDir: string;
  /** SIGTERM, and wait for the end. Further calls tell the same. */
  stop(): Promise<Ended>;
  /** Stop, with exit code 0, and read back everything that was written but warcinfo. */
  records(): Promise<TestRecord[]>;
}

/** Where the programs of one test file leave their WARC files; gone when its process ends. */
export class Workplace {
  readonly dir: string;
  #programs = 0;

  constructor() {
    if (!existsSync(join(root, 'dist'))) throw new Error('these tests need the built program: npm run build');
    this.dir = mkdtempSync(join(tmpdir(), 'warctap-clients-'));
    // A hook of the runner would come before the last test.
    process.once('exit', () => rmSync(this.dir, { recursive: true, force: true, maxRetries: 3 }));
  }

  /** @param flags beside port, folders and the authority that all programs of a test file share */
  async start(...flags: string[]): Promise<Program> {
    const dir = join(this.dir, `warcs-${this.#programs++}`);
    const folders = ['--dir', dir, '--cacert', await testCaFile(), '--certs-dir', join(this.dir, 'certs')];
    // Every body is to be found in the archive, also one that came before.
    const databases = ['--dedup-db-file', '/dev/null', '--stats-db-file', '/dev/null'];
    return start(['--port', '0', '--allow-localhost', ...folders, ...databases, ...flags], this.dir);
  }

  /** All WARC files written so far. */
  files(): string[] {
    return readdirSync(this.dir, { recursive: true })
      .map(String)
      .filter((name) => /^warcs-.*\.warc(\.gz)?$/.test(name))
      .map((name) => join(this.dir, name))
      .sort();
  }
}

/**
 * Start the program and wait for its start block.
 *
 * @param cwd where its default folders come to be
 */
export async function start(args: readonly string[], cwd: string): Promise<Program> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('WARCTAP_') && !name.startsWith('NODE_'));
  const child = spawn(process.execPath, [launcher, ...args], {
    cwd,
    env: Object.fromEntries(inherited),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const orphaned = () => child.kill('SIGKILL');
  process.once('exit', orphaned);
  let stdout = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(([code]) => {
    process.removeListener('exit', orphaned);
    return { code: code as number | null, stdout, stderr };
  });
  await new Promise<void>((done, fail) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.includes('https://example.com/\n')) done();
    });
    void ended.then(({ code }) => fail(new Error(`ended with ${code} instead of starting: ${stdout}${stderr}`)));
  });
  const told = (name: RegExp) => name.exec(stdout)?.[1] ?? '';
  const warcDir = told(/^ +WARC files +(.*)$/m);
  const stop = () => {
    child.kill('SIGTERM');
    return ended;
  };
  return {
    pid: child.pid ?? 0,
    port: Number(told(/listens on .*:(\d+)$/m)),
    url: told(/listens on (.*)$/m),
    caFile: told(/^ +CA certificate +(.*)$/m),
    warcDir,
    stop,
    async records() {
      const { code, stderr: log } = await stop();
      if (code !== 0) throw new Error(`exit code ${code}: ${log}`);
      return readFolder(warcDir);
    },
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}
