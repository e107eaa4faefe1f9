/**
 * What floods of HTTP/2 cost others: for each of them two clients that begin anew whenever they are thrown out, in a process of their own,
 * and one that asks for 1 kB, again and again. By hand, with the real program:
 *
 *   npm run build && node --import tsx test/soak/http2-floods.ts [SECONDS]
 *
 * Prints median and 99th percentile of its requests, memory of the program (the peak so far), and how often the two were thrown out.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { start } from '../clients/support/program.ts';
import { testCaFile } from '../support/certificate.ts';
import { FLOODS } from '../support/http2-floods.ts';
import { FrameClient } from '../support/http2-frames.ts';
import { http2Client, startHttp2Origin } from '../support/http2.ts';
import { peakRssBytes, rssBytes } from './watch.ts';

const FLOODERS = 2;
const NOBODY = 'nobody floods';

interface Task {
  readonly name: string;
  readonly port: number;
  readonly authority: string;
  readonly ca: string;
}

/** The process that floods: until it is killed. */
function floodAsTold(): void {
  process.on('message', ({ name, port, authority, ca }: Task) => {
    const begin = FLOODS[name];
    const again = async () => {
      for (;;) {
        try {
          using client = await FrameClient.connect(port, authority, ca);
          await begin?.(client, authority);
          await client.ended();
          process.send?.('thrown out');
        } catch {
          // Refused at its very beginning.
        }
      }
    };
    for (let nth = 0; nth < FLOODERS; nth++) void again();
  });
}

async function measure(seconds: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'warctap-floods-'));
  await using origin = await startHttp2Origin((stream) => {
    stream.respond({ ':status': 200 });
    stream.end(Buffer.alloc(1000));
  });
  const files = ['--dir', join(dir, 'warcs'), '--certs-dir', join(dir, 'certs'), '--cacert', await testCaFile()];
  const databases = ['--dedup-db-file', join(dir, 'db'), '--stats-db-file', join(dir, 'db')];
  await using program = await start(['--port', '0', '--allow-localhost', ...files, ...databases], dir);
  const authority = `127.0.0.1:${origin.port}`;
  const ca = readFileSync(await testCaFile(), 'latin1');
  const log = (line: string) => process.stdout.write(`${line}\n`);
  log('| flood | median ms | p99 ms | MB now | MB at most so far | thrown out |\n| --- | --- | --- | --- | --- | --- |');
  for (const name of [NOBODY, ...Object.keys(FLOODS)]) {
    const flooder = fork(import.meta.filename, ['flood'], { execArgv: process.execArgv });
    let thrownOut = 0;
    flooder.on('message', () => thrownOut++);
    flooder.send({ name, port: program.port, authority, ca } satisfies Task);
    await wait(1000);
    using other = await http2Client(program.port, authority, ca);
    const times: number[] = [];
    for (const endMs = performance.now() + 1000 * seconds; performance.now() < endMs;) {
      const sentMs = performance.now();
      const { status, body } = await other.get(`/${times.length}`);
      if (status !== 200 || body.length !== 1000) throw new Error(`${name}: ${status}, ${body.length} bytes`);
      times.push(performance.now() - sentMs);
    }
    times.sort((a, b) => a - b);
    const at = (share: number) => (times[Math.floor(share * (times.length - 1))] ?? NaN).toFixed(1);
    const mb = (bytes: number) => Math.round(bytes / 1e6);
    log(`| ${name} | ${at(0.5)} | ${at(0.99)} | ${mb(rssBytes(program.pid))} | ${mb(peakRssBytes(program.pid))} | ${thrownOut} |`);
    flooder.kill('SIGKILL');
    await once(flooder, 'exit');
  }
  rmSync(dir, { recursive: true, force: true });
}

const [, , what = '5'] = process.argv;
if (what === 'flood') floodAsTold();
else await measure(Number(what));
