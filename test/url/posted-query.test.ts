/** What a posted body adds to the URL in an index, as pywb asks for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postedQuery, postedUrl } from '../../src/url/posted-query.ts';

const query = (type: string | undefined, body: string | Buffer, method = 'POST') => postedQuery(method, type, Buffer.from(body));
const FORM = 'application/x-www-form-urlencoded';

test('a form is its text, decoded', () => {
  assert.equal(query(FORM, 'a=b+c&d=%C3%A9%26x&e'), 'a=b c&d=é&x&e');
  assert.equal(query(`${FORM}; charset=utf-8`, Buffer.from('\xff=1', 'latin1')), '__wb_post_data=/z0x');
});

test('JSON is its leaves, each under its name, those that come again numbered', () => {
  const body = { b: { x: 1, y: [1, 2, { x: 't w' }] }, a: 'ü*~', n: null, t: true, f: 1.5, '': 'none' };
  assert.equal(query('application/json', JSON.stringify(body)), 'x=1&y=1&y.2_=2&x.2_=t+w&a=%C3%BC%2A~&n=null&t=true&f=1.5');
  assert.equal(query('application/json', 'no JSON'), '');
  assert.equal(query('text/plain', '{"k":"v"}'), 'k=v');
  assert.equal(query('text/plain', 'just text'), '__wb_post_data=anVzdCB0ZXh0');
  assert.equal(query('text/plain', '['.repeat(100_000) + ']'.repeat(100_000)).slice(0, 15), '__wb_post_data=');
});

test('parts are a query, the bytes of a file too', () => {
  const parts =
    '--x\r\nContent-Disposition: form-data; name="n 1"\r\n\r\né\r\n' +
    '--x\r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\n\0\r\n--x--\r\n';
  assert.equal(query('multipart/form-data; boundary=x', parts), 'n+1=%C3%A9&f=%00');
  assert.equal(query('multipart/form-data', 'x'), '__wb_post_data=eA==');
});

test('anything else is Base64, and no query is longer than 4,096 characters', () => {
  assert.equal(query(undefined, 'x'), '__wb_post_data=eA==');
  assert.equal(query('image/png', 'x', 'PUT'), '__wb_post_data=eA==');
  assert.equal(query('image/png', Buffer.alloc(100_000)).length, 4096);
  assert.equal(query('image/png', 'x', 'DELETE'), '');
});

test('it stands behind the method, in the query of the URL', () => {
  assert.equal(postedUrl('http://a/', 'POST', 'x=1'), 'http://a/?__wb_method=POST&x=1');
  assert.equal(postedUrl('http://a/?q', 'HEAD', ''), 'http://a/?q&__wb_method=HEAD');
});
