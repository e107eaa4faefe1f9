import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fieldOf, Fields, type Field } from '../../src/http/fields.ts';
import { fieldLine, forwardedLines } from '../../src/http1/serialize.ts';
import { requestHead, responseHead } from './read.ts';

const asIs = () => undefined;
const sent = (fields: string) => forwardedLines(responseHead(fields).fields, asIs, undefined);

describe('fields sent on', () => {
  test('keep order, case, duplicates, spacing and Latin-1', () => {
    const fields = 'B:2\r\nSET-cookie:  a=1 \t\r\nset-Cookie: b=2\r\nEmpty:\r\nA: na\xefve\r\nB:2\r\n';
    assert.equal(sent(fields), fields);
    assert.equal(forwardedLines(requestHead(fields).fields, asIs, undefined), fields);
  });

  test('leave out those of one connection, in any case', () => {
    const names = ['Connection', 'Proxy-Connection', 'Keep-Alive', 'Proxy-Authenticate', 'proxy-authorization', 'UPGRADE'];
    assert.equal(sent(`A: 1\r\n${names.map((name) => `${name}: x\r\n`).join('')}B: 2\r\n`), 'A: 1\r\nB: 2\r\n');
  });

  test('leave out those that Connection names, wherever it stands and however often', () => {
    assert.equal(sent('X-One: 1\r\nConnection: close, x-ONE\r\nX-Two: 2\r\nx-three: 3\r\nconnection:,X-Three ,\r\n'), 'X-Two: 2\r\n');
  });

  test('never leave out what frames or routes the message', () => {
    const fields = 'Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n';
    assert.equal(sent(`Connection: host, content-length, Transfer-Encoding\r\n${fields}`), fields);
  });

  test('are written anew when a strict reader would refuse them', () => {
    const fields = 'A : 1\r\nB:2\nC: 3\r\n\t4\r\n  5\r\nD: x\ry\0z\r\nTransfer-Encoding :chunked\r\r\nE:  6\r\n';
    const lines = sent(fields);
    assert.equal(lines, 'A: 1\r\nB: 2\r\nC: 3 4 5\r\nD: x y z\r\nTransfer-Encoding: chunked\r\nE:  6\r\n');
    assert.equal(forwardedLines(requestHead(lines).fields, asIs, undefined), lines);
  });

  test('are left out when no reader could agree on their name', () => {
    assert.equal(
      sent('X\rContent-Length: 1\r\nno colon\r\n: nameless\r\n continued\r\nA b: 1\r\n\xa0Content-Length: 2\r\nA: 1\r\n'),
      'A: 1\r\n',
    );
  });

  test('can be replaced or dropped', () => {
    const { fields } = responseHead('A: 1\r\nB: 2\r\nC : 3\r\nConnection: close\r\n');
    const asked: string[] = [];
    const replace = (field: Field) => {
      asked.push(field.name);
      return field.key === 'a' ? '' : field.key === 'b' ? fieldLine('b', 'two') : undefined;
    };
    assert.equal(forwardedLines(fields, replace, undefined), 'b: two\r\nC: 3\r\n');
    assert.deepEqual(asked, ['A', 'B', 'C']);
  });

  test('stay in the order of their list, which may be of several heads and leave some out', () => {
    const [a, b, c] = responseHead('A: 1\r\nB: 2\r\nC: 3\r\n').fields.list;
    const [d, e] = responseHead('D: 4\r\nE: 5\r\n').fields.list;
    const large = responseHead(`F: ${'6'.repeat(20_000)}\r\nG: 7\r\nH: 8\r\n`).fields.list.slice(1);
    const own = fieldOf('Own', '0');
    const list = [b!, c!, own, a!, b!, d!, own, e!, ...large, a!, c!];
    assert.equal(forwardedLines(new Fields(list), asIs, undefined), list.map(({ line }) => line).join(''));
  });
});
