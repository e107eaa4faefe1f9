import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyQuery } from '../../src/url/body-query.ts';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json; charset=utf-8';

for (const [type, body, query] of [
  [FORM, 'foo=bar&dir=%2Fbaz', 'dir=%2Fbaz&foo=bar'],
  [`${FORM}; charset=UTF-8`, 'b=x+y&a&b=%41', 'a=&b=x+y&b=A'],
  [FORM, '?a=1', '%3Fa=1'],
  [JSON_TYPE, '{"name":"value"}', 'name=value'],
  [JSON_TYPE, '{"some":{"b":2,"a":1},"other":null,"yes":true,"empty":""}', 'a=1&b=2&empty=&other=null&yes=true'],
  [JSON_TYPE, '{"a":[1,2,{"a":3}]}', 'a=1&a.2_=2&a.3_=3'],
  ['application/graphql+json', '[1]', '=1'],
  ['text/plain', '{"a":"b"}', 'a=b'],
  ['text/plain', '12', '__wb_post_data=MTI%3D'],
  [JSON_TYPE, '{"a":', '__wb_post_data=eyJhIjo%3D'],
  [undefined, 'a=b', '__wb_post_data=YT1i'],
  ['application/octet-stream', Buffer.from([0xff, 0x00]), '__wb_post_data=%2FwA%3D'],
  // Bytes that are no text must not look like others that are none.
  [FORM, 'a=%FF', '__wb_post_data=YT0lRkY%3D'],
  [JSON_TYPE, Buffer.from([0x22, 0xff, 0x22]), '__wb_post_data=Iv8i'],
  ['multipart/form-data', 'no boundary', '__wb_post_data=bm8gYm91bmRhcnk%3D'],
  ['multipart/form-data; boundary=X', 'no parts', '__wb_post_data=bm8gcGFydHM%3D'],
] as const) {
  test(`${String(type)} ${JSON.stringify(body.toString()).slice(0, 60)} is ?${query}`, () => {
    assert.equal(bodyQuery('POST', type, Buffer.from(body)), `__wb_method=POST&${query}`);
  });
}

test('parts are told by name, value by value, whatever their boundary', () => {
  const parts = ['name="b"\r\n\r\ntwo\r\nlines', 'name="a"; filename="f"\r\nContent-Type: a/b\r\n\r\n\xff--X', 'name=c\r\n\r\n'];
  const body = parts.map((part) => `--X\r\nContent-Disposition: form-data; ${part}\r\n`).join('') + '--X--\r\n';
  const query = bodyQuery('PUT', 'multipart/form-data; boundary=X', Buffer.from(body, 'latin1'));
  assert.equal(query, '__wb_method=PUT&a=%C3%BF--X&b=two%0D%0Alines&c=');
});

test('the order of members, spaces and the way a number is written make no difference', () => {
  const of = (text: string) => bodyQuery('POST', JSON_TYPE, Buffer.from(text));
  assert.equal(of('{"a":{"x":1},"b":{"x":2}}'), of('{ "b": {"x": 2.0}, "a": {"x": 1e0} }'));
  assert.notEqual(of('{"a":{"x":1},"b":{"x":2}}'), of('{"a":{"x":2},"b":{"x":1}}'));
});

test('JSON that is very deep is taken as bytes', () => {
  const deep = '['.repeat(30_000) + ']'.repeat(30_000);
  assert.match(bodyQuery('POST', JSON_TYPE, Buffer.from(deep)), /^__wb_method=POST&__wb_post_data=W1tb/);
});
