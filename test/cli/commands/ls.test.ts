import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { handMade, idOf, members } from '../../warc/tools/repair-support.ts';
import { runToEnd } from '../child.ts';
import { RECORDS, sampleFile } from './files-support.ts';

interface Line {
  readonly offset: number;
  readonly length: number;
  readonly recordId: string;
}

async function listed(file: string, ...args: readonly string[]): Promise<Line[]> {
  const { code, stdout, stderr } = await runToEnd(['ls', '--json', ...args, file]);
  assert.deepEqual([code, stderr], [0, '']);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

test('ls prints a line for each record, with the place that cat takes', async (t) => {
  const file = sampleFile(t);
  const { code, stdout, stderr } = await runToEnd(['ls', file]);
  assert.deepEqual([code, stderr], [0, '']);
  const lines = stdout.split('\n').slice(0, -1);
  assert.equal(lines.length, RECORDS.length);
  assert.match(lines[1]!, /^2024-02-03T04:05:06Z {2}response {4}200 {3}text\/html +\d+ {2}.+a\.warc\.gz:\d+ +https:\/\/example\.com\/$/);
  assert.match(lines[4]!, / request {5}POST /);
});

test('ls --json prints all that is seen of a record', async (t) => {
  const file = sampleFile(t);
  const lines = await listed(file);
  assert.equal(
    lines.reduce((sum, { length }) => sum + length, 0),
    readFileSync(file).length,
  );
  const { offset, length } = lines[3]!;
  assert.deepEqual(lines[3], {
    file,
    offset,
    length,
    type: 'response',
    date: '2024-02-03T04:05:06Z',
    url: 'http://example.com/a.png',
    recordId: idOf(4),
    status: 404,
    mime: 'image/png',
    blockSize: 53,
  });
});

const FILTERS: readonly (readonly [args: string, ids: readonly number[]])[] = [
  ['--url https://example.com/', [2, 3]],
  ['--url *example*:*', [6]],
  ['--url http*.png --type response', [4]],
  ['--type request --type warcinfo', [1, 3, 5]],
  ['--status 4xx', [4]],
  ['--status 200-403', [2]],
  ['--mime image/* --mime TEXT/plain', [4, 6]],
  [`--record-id ${idOf(3).slice(10, -1)}`, [3]],
  ['--date-from 2024-02-03T04:05:07', []],
  ['--date-from 2024 --date-to 202402 --status 200', [2]],
  ['--date-to 2024-02-03T04:05', [1, 2, 3, 4, 5, 6]],
];
test('ls lists what fits all filters', { concurrency: 2 }, async (t) => {
  const file = sampleFile(t);
  for (const [args, ids] of FILTERS) {
    const found = await listed(file, ...args.split(' '));
    assert.deepEqual(
      found.map(({ recordId }) => recordId),
      ids.map(idOf),
      args,
    );
  }
});

test('ls goes on behind what cannot be read, tells of it, and ends with 1', async (t) => {
  const damaged = Buffer.from(members(handMade()));
  damaged[damaged.length - 5]! ^= 1;
  const first = members(handMade());
  const file = sampleFile(t, 'bad.warc.gz', Buffer.concat([first, damaged, members(handMade())]));
  const { code, stdout, stderr } = await runToEnd(['ls', file]);
  assert.equal(code, 1);
  assert.equal(stdout.split('\n').length, 3);
  assert.equal(stderr, `${file}: record at byte ${first.length}: gzip checksum does not match\n`);
});

test('a terminal gets no commands from a URL', async (t) => {
  const file = sampleFile(t, 'esc.warc', handMade({ more: 'WARC-Target-URI: http://a/\x1b[2J\u202e\r\n' }));
  const { stdout } = await runToEnd(['ls', file]);
  assert.match(stdout, /http:\/\/a\/\?\[2J\?\n$/);
});

test('--output makes a file that is there when it is whole, and replaces none without --force', async (t) => {
  const file = sampleFile(t);
  const output = `${file}.txt`;
  const args = ['ls', file, '--output', output];
  assert.deepEqual(await runToEnd(args), { code: 0, stdout: '', stderr: '' });
  assert.equal(readFileSync(output, 'utf8').split('\n').length, RECORDS.length + 1);
  writeFileSync(output, 'mine');
  assert.deepEqual(await runToEnd(args), { code: 1, stdout: '', stderr: `warctap: ${output} is there already; --force replaces it\n` });
  assert.equal(readFileSync(output, 'utf8'), 'mine');
  assert.equal((await runToEnd([...args, '--force'])).code, 0);
  assert.notEqual(readFileSync(output, 'utf8'), 'mine');
  assert.ok(!existsSync(`${output}.tmp`));
  const nowhere = join(dirname(file), 'none');
  assert.deepEqual(await runToEnd(['ls', file, '--output', join(nowhere, 'a.txt')]), {
    code: 1,
    stdout: '',
    stderr: `warctap: ${join(nowhere, 'a.txt')} cannot be written into ${nowhere}: there is no such folder\n`,
  });
});

test('a filter that means nothing is refused in one line', async () => {
  const { code, stderr } = await runToEnd(['ls', '--status', '20', 'x.warc']);
  assert.deepEqual([code, stderr], [2, 'warctap: --status: expected a status such as 200, 4xx or 200-299, got "20"\n']);
  const date = await runToEnd(['ls', '--date-to', 'may', 'x.warc']);
  assert.match(date.stderr, /^warctap: --date-to: expected a date or the beginning of one in UTC, .*, got "may"\n$/);
});
