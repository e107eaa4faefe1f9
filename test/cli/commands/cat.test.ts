import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { handMade, idOf, members } from '../../warc/tools/repair-support.ts';
import { runToEnd } from '../child.ts';
import { PAGE, RECORDS, sampleFile } from './files-support.ts';

test('cat prints records as they stand in a plain file', async (t) => {
  const [gzip, plain] = [sampleFile(t), sampleFile(t, 'a.warc', Buffer.concat(RECORDS))];
  const all = Buffer.concat(RECORDS).toString('latin1');
  for (const file of [gzip, plain]) {
    const { code, stdout, stderr } = await runToEnd(['cat', file]);
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(stdout, Buffer.from(all, 'latin1').toString());
  }
});

test('cat FILE:OFFSET is that record alone; --head is all but its body, --body the body unpacked', async (t) => {
  const file = sampleFile(t);
  const place = `${file}:${members(RECORDS[0]!).length}`;
  assert.deepEqual(await runToEnd(['cat', '--body', place]), { code: 0, stdout: PAGE, stderr: '' });
  const { stdout } = await runToEnd(['cat', '--head', place]);
  const record = RECORDS[1]!.toString('latin1');
  assert.equal(stdout, record.slice(0, record.indexOf('Content-Encoding: gzip\r\n\r\n') + 'Content-Encoding: gzip\r\n\r\n'.length));
  const resource = await runToEnd(['cat', '--head', '--record-id', idOf(6), file]);
  assert.match(resource.stdout, /^WARC\/1\.1\r\n[^]*Content-Length: 4\r\n\r\n$/);
});

test('cat says when there is no such record', async (t) => {
  const file = sampleFile(t);
  assert.deepEqual(await runToEnd(['cat', '--url', 'http://none/', file]), {
    code: 1,
    stdout: '',
    stderr: 'warctap: cat: no record fits\n',
  });
  const behind = `${file}: record at byte 99999: the file ends before it\n`;
  assert.deepEqual(await runToEnd(['cat', `${file}:99999`]), { code: 1, stdout: '', stderr: behind });
  const within = await runToEnd(['cat', `${file}:5`]);
  assert.deepEqual([within.code, within.stdout], [1, '']);
  assert.match(within.stderr, /: record at byte 5: .+\n$/);
});

test('a body that unpacks to more than --max-body is cut and told, and so is one that breaks off', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n';
  const bomb = Buffer.concat([Buffer.from(head), gzipSync(Buffer.alloc(10_000_000, 'x'))]);
  const file = sampleFile(t, 'b.warc', handMade({ type: 'response', more: 'Content-Type: application/http\r\n', block: bomb }));
  assert.deepEqual(await runToEnd(['cat', '--body', '--max-body', '1000', file]), {
    code: 1,
    stdout: 'x'.repeat(1000),
    stderr: `${file}: record at byte 0: its body unpacks to more than 1000 bytes, and is cut there (--max-body)\n`,
  });
  const broken = sampleFile(
    t,
    'c.warc',
    handMade({ type: 'response', more: 'Content-Type: application/http\r\n', block: bomb.subarray(0, 5_000) }),
  );
  const { code, stdout, stderr } = await runToEnd(['cat', '--body', broken]);
  assert.equal(code, 1);
  assert.match(stdout, /^x{1000,}$/);
  assert.match(stderr, /: record at byte 0: its body cannot be unpacked: .+\n$/);
});

test('cat wants a file, and one of --head and --body', async () => {
  assert.match((await runToEnd(['cat'])).stderr, /^warctap: cat: expected at least one file or folder/);
  assert.deepEqual(
    (await runToEnd(['cat', '--head', '--body', 'x'])).stderr,
    'warctap: cat: expected one of --head and --body, not both\n',
  );
});
