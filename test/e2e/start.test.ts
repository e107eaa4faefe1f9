/** What keeps the proxy from starting: found before it listens, told in one line that names the option. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createCore } from '../../src/index.ts';
import { listen } from '../../src/util/listen.ts';
import { recordingLog } from '../ca/support.ts';
import { get, ok } from '../support/messages.ts';
import { RawClient } from '../support/client.ts';
import { startOrigin } from '../support/origin.ts';
import { startProgram } from '../support/program.ts';
import { startProxy } from '../support/proxy.ts';
import { makeSmallDisk, noSmallDisk } from '../support/small-disk.ts';

let folder: string;
let file: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'warctap-start-'));
  file = join(folder, 'file');
  writeFileSync(file, '');
});
after(() => rmSync(folder, { recursive: true }));

describe('folders', { concurrency: 2 }, () => {
  const other = '--dedup-db-file and --stats-db-file';
  const cases: [args: readonly string[], code: number, line: () => string][] = [
    [
      ['--crawl-log-dir', 'FILE'],
      2,
      () => `--crawl-log-dir: expected a folder that can be written to (it is a file, not a folder), got "${file}"`,
    ],
    [
      ['--crawl-log-dir', 'FILE/x'],
      2,
      () => `--crawl-log-dir: expected a folder that can be written to (it, or a folder above it, is a file), got "${file}/x"`,
    ],
    [['--dir', 'FILE'], 1, () => `--dir ${file}: WARC files cannot be written there: it is a file, not a folder`],
    [['--certs-dir', 'FILE'], 2, () => `--certs-dir: expected a folder, existing or not, got "${file}"`],
    [['--dedup-db-file', 'FILE'], 1, () => `database ${file} is a file; name a folder with ${other}`],
    [['--stats-db-file', 'FILE'], 1, () => `database ${file} is a file; name a folder with ${other}`],
  ];
  for (const [args, code, line] of cases) {
    test(args.join(' '), async () => {
      const given = args.map((arg) => arg.replace('FILE', file));
      const dir = mkdtempSync(join(folder, 'run-'));
      await assert.rejects(startProgram(dir, given), { message: `did not start, exit code ${code}: warctap: ${line()}\n` });
    });
  }
});

test('the folder of temporary files, by the variable that names it', async () => {
  const { TMPDIR } = process.env;
  process.env.TMPDIR = join(folder, 'gone');
  try {
    const dir = join(folder, 'warcs');
    await assert.rejects(createCore({ dir, dedupDbFile: '', statsDbFile: '' }), {
      code: 'WARC_OPTION',
      message: `TMPDIR ${process.env.TMPDIR}: temporary files cannot be written there: there is no such folder`,
    });
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  }
});

describe('listening', () => {
  test('an address that this machine has not, with port 0', async () => {
    await assert.rejects(startProgram(mkdtempSync(join(folder, 'run-')), ['--address', '198.51.100.1', '--port', '0']), {
      message:
        'did not start, exit code 1: warctap: cannot listen on 198.51.100.1 port 0: this machine has no such address; --address names one that it has, or 0.0.0.0 for all of them\n',
    });
  });

  test('a port that something else has, of either proxy', async () => {
    const server = createServer((socket) => socket.end('hello\r\n'));
    const { port } = await listen(server, 0, '127.0.0.1');
    for (const flag of ['--port', '--playback-port']) {
      const option = flag === '--port' ? { port } : { playbackPort: port };
      await assert.rejects(startProxy(option), {
        code: 'EADDRINUSE',
        message: `cannot listen on 127.0.0.1 port ${port}: the port is in use; ${flag} names another one, ${flag} 0 picks one that is free`,
      });
    }
    server.close();
  });

  test('a port that a proxy has, and a database that it has', async () => {
    await using first = await startProgram(mkdtempSync(join(folder, 'run-')));
    const dir = mkdtempSync(join(folder, 'run-'));
    const by = `the port is in use, by a warctap or warcprox (process ${first.child.pid})`;
    await assert.rejects(startProgram(dir, ['--port', String(first.port)]), {
      message: `did not start, exit code 1: warctap: cannot listen on 127.0.0.1 port ${first.port}: ${by}; --port names another one, --port 0 picks one that is free\n`,
    });
    mkdirSync(join(dir, 'first'));
    await using second = await startProgram(join(dir, 'first'));
    const database = join(dir, 'first', 'db');
    await assert.rejects(startProgram(dir, ['--dedup-db-file', database]), ({ message }: Error) => {
      assert.match(
        message,
        /^did not start, exit code 1: warctap: database .+ is in use by another process(?:, \d+)?; stop that one, or name /,
      );
      if (process.platform === 'linux') assert.ok(message.includes(`another process, ${second.child.pid};`), message);
      return true;
    });
  });
});

describe('a small disk', { skip: noSmallDisk }, () => {
  test('takes requests as long as a twentieth of it is left', async () => {
    using disk = makeSmallDisk(96);
    await using origin = await startOrigin(({ socket }) => socket.write(ok()));
    await using proxy = await startProxy({ dir: disk.dir, minFreeSpace: undefined });
    using client = await RawClient.connect(proxy.port);
    client.send(get(`${origin.url}/`));
    assert.equal((await client.response()).status, 200);
  });

  test('with less than --min-free-space from the beginning the log says so, with the figures', async () => {
    using disk = makeSmallDisk(96);
    const { log, lines } = recordingLog();
    await using proxy = await startProxy({ dir: disk.dir, minFreeSpace: '1G', log });
    const told = 'too little space is left on the disk of the WARC files (96M free, --min-free-space is 1G)';
    const errors = lines.filter(({ level }) => level === 'error').map(({ message }) => message);
    assert.deepEqual(errors, [`${told}; requests are answered 503 until there is more`]);
    using client = await RawClient.connect(proxy.port);
    client.send(get('http://example.com/'));
    assert.equal((await client.response()).body.toString(), `${told}\n`);
  });
});
