/** Few files may be open: connections are refused, and nothing else. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { verifyFiles } from '../../src/warc/tools/verify.ts';
import { RawClient } from '../support/client.ts';
import { get, ok } from '../support/messages.ts';
import { startOrigin } from '../support/origin.ts';
import { startProgram } from '../support/program.ts';
import { readFolder } from '../support/proxy.ts';
import { tool } from '../support/tools.ts';

const OPEN_FILES = 128;
const CLIENTS = 60;
const PREFIXES = 20;
/** Goes to a temporary file, on both ways. */
const LARGE = 600_000;

test(
  `${OPEN_FILES} open files, ${CLIENTS} clients at once: some are dropped, what is answered is whole`,
  { skip: tool('sh').skip, timeout: 120_000 },
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'warctap-open-files-'));
    const body = 'x'.repeat(LARGE);
    await using origin = await startOrigin(({ socket }) => socket.write(ok(body)));
    await using program = await startProgram(dir, ['--crawl-log-dir', join(dir, 'logs')], { openFiles: OPEN_FILES });
    await program.logged('"openFiles":128');

    const urlOf = (index: number) => `${origin.url}/${index}`;
    /** @returns the status and how much came; throws when the connection was dropped */
    const ask = async (index: number) => {
      using client = await RawClient.connect(program.port);
      client.socket.on('error', () => undefined);
      const meta = `Warcprox-Meta: {"warc-prefix": "job-${index % PREFIXES}"}\r\n`;
      if (index % 2 === 0) client.send(get(urlOf(index), meta));
      else client.send(`POST ${urlOf(index)} HTTP/1.1\r\nHost: a\r\n${meta}Content-Length: ${LARGE}\r\n\r\n${body}`);
      const { status, body: received } = await client.response();
      return [status, received.length];
    };
    let dropped = 0;
    const askUntilAnswered = async (index: number) => {
      for (;;) {
        const answer = await ask(index).catch(() => undefined);
        if (answer !== undefined) return answer;
        assert.equal(program.child.exitCode, null, program.stderr());
        dropped++;
      }
    };
    const answers = await Promise.all(Array.from({ length: CLIENTS }, (_, index) => askUntilAnswered(index)));
    for (const answer of answers) assert.deepEqual(answer, [200, LARGE]);
    assert.ok(dropped > 0);
    program.child.kill('SIGTERM');
    assert.deepEqual(await program.ended, [0, null], program.stderr());
    assert.deepEqual(
      program.log().filter(({ level }) => level === 'error'),
      [],
    );

    const warcs = join(dir, 'warcs');
    const records = await readFolder(warcs);
    const responses = new Set(records.filter(({ type, block }) => type === 'response' && block.length > LARGE).map(({ url }) => url));
    for (let index = 0; index < CLIENTS; index++) {
      const url = urlOf(index);
      assert.ok(responses.has(url) || records.some((record) => record.type === 'revisit' && record.url === url), url);
    }
    const faults: string[] = [];
    await verifyFiles(
      (await readdir(warcs)).map((name) => join(warcs, name)),
      { allowUnresolved: false, onFault: ({ problem }) => faults.push(problem) },
    );
    assert.deepEqual(faults, []);
    await rm(dir, { recursive: true });
  },
);

/** Before the first capture is written it opens all files that it may, until somebody makes the file. */
const HOARDER = (release: string) => `
import { closeSync, existsSync, openSync } from 'node:fs';
export default () => ({
  name: 'Hoarder',
  position: 'early',
  process() {
    if (existsSync(${JSON.stringify(release)})) return;
    const files = [];
    try { for (;;) files.push(openSync('/dev/null')); } catch {}
    const timer = setInterval(() => {
      if (!existsSync(${JSON.stringify(release)})) return;
      clearInterval(timer);
      for (const file of files) closeSync(file);
    }, 10);
  },
});
`;

test(
  'no file handle is left for a WARC file: what is to be written waits for one',
  { skip: tool('sh').skip, timeout: 60_000 },
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'warctap-no-handle-'));
    const [plugin, release] = [join(dir, 'hoarder.mjs'), join(dir, 'release')];
    await writeFile(plugin, HOARDER(release));
    await using program = await startProgram(dir, ['--plugin', plugin], { openFiles: OPEN_FILES });
    using client = await RawClient.connect(program.port);
    client.send('WARCPROX_WRITE_RECORD urn:waits HTTP/1.1\r\nWARC-Type: resource\r\nContent-Type: a/b\r\nContent-Length: 1\r\n\r\nx');
    await program.logged('no WARC file can be opened, what is to be written waits: EMFILE');
    await writeFile(release, '');
    assert.equal((await client.response()).status, 204);
    program.child.kill('SIGTERM');
    assert.deepEqual(await program.ended, [0, null], program.stderr());
    const records = await readFolder(join(dir, 'warcs'));
    assert.deepEqual(
      records.map(({ url }) => url),
      ['urn:waits'],
    );
    await rm(dir, { recursive: true });
  },
);
