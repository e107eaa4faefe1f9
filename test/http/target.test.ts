import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseAuthority } from '../../src/http/authority.ts';
import { recordUri } from '../../src/http/record-uri.ts';
import { absoluteTarget, connectTarget, hostField, tunnelTarget, urlTarget, writtenUrl, type Tunnel } from '../../src/http/target.ts';
import { refusal } from '../http1/read.ts';

/** UTF-8 as it looks in Latin-1 text. */
const utf8 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

describe('a host', () => {
  for (const [written, host] of [
    ['example.com', 'example.com'],
    ['EXAMPLE.Com', 'example.com'],
    ['example.com.', 'example.com.'],
    ['localhost', 'localhost'],
    ['my_host', 'my_host'],
    ['r3---sn-a.example.com', 'r3---sn-a.example.com'],
    [utf8('münchen.de'), 'xn--mnchen-3ya.de'],
    [utf8('à.com'), 'xn--0ca.com'],
    [utf8('例え。jp'), 'xn--r8jz45g.jp'],
    [utf8('ＥＸＡＭＰＬＥ.com'), 'example.com'],
    ['m%C3%BCnchen.de', 'xn--mnchen-3ya.de'],
    ['ex%61mple.com', 'example.com'],
    ['127.0.0.1', '127.0.0.1'],
    ['127.1', '127.0.0.1'],
    ['0x7f.1', '127.0.0.1'],
    ['0X7F.0.0.01', '127.0.0.1'],
    ['0177.0.0.1', '127.0.0.1'],
    ['2130706433', '127.0.0.1'],
    ['127.0.0.1.', '127.0.0.1'],
    ['%31%32%37.1', '127.0.0.1'],
    [utf8('１２７.1'), '127.0.0.1'],
    ['0', '0.0.0.0'],
    ['[::1]', '::1'],
    ['[0:0:0:0:0:0:0:1]', '::1'],
    ['[2001:DB8::0:1]', '2001:db8::1'],
    ['[::ffff:127.0.0.1]', '::ffff:7f00:1'],
    [`${'a.'.repeat(126)}a`, `${'a.'.repeat(126)}a`],
    [`${'a.'.repeat(126)}a.`, `${'a.'.repeat(126)}a.`],
  ] as const) {
    test(`${JSON.stringify(written)} is ${host.slice(0, 40)}`, () => {
      assert.deepEqual(parseAuthority(written, 80), { host, port: 80 });
    });
  }

  const FORM = 'host not understood, expected host or host:port';
  const NAME = 'host not understood, expected a name or an address';
  for (const [written, message] of [
    ['', `${FORM}: ""`],
    [':80', `${FORM}: ":80"`],
    ['user@example.com', `${FORM}: "***@example.com"`],
    ['user:pw@example.com', `${FORM}: "***@example.com"`],
    ['user:p@w@example.com', `${FORM}: "***@example.com"`],
    ['a b', `${FORM}: "a b"`],
    ['a\\b', `${FORM}: "a\\\\b"`],
    ['a/b', `${FORM}: "a/b"`],
    ['::1', `${FORM}: "::1"`],
    ['[::1', `${FORM}: "[::1"`],
    ['[::1]x', `${FORM}: "[::1]x"`],
    ['[]', `${FORM}: "[]"`],
    ['[fe80::1%25eth0]', `${FORM}: "[fe80::1%25eth0]"`],
    ['[v1.a]', `${FORM}: "[v1.a]"`],
    ['[::1]:80:80', `${FORM}: "[::1]:80:80"`],
    ['[:::]', `${NAME}: "[:::]"`],
    ['[1.2.3.4]', `${NAME}: "[1.2.3.4]"`],
    ['256.1.1.1', `${NAME}: "256.1.1.1"`],
    ['1.2.3.4.5', `${NAME}: "1.2.3.4.5"`],
    ['a.1', `${NAME}: "a.1"`],
    ['a%2fb', `${NAME}: "a%2fb"`],
    ['a%00b', `${NAME}: "a%00b"`],
    ['a%40b', `${NAME}: "a%40b"`],
    ['a%', `${NAME}: "a%"`],
    ['a<b', `${NAME}: "a<b"`],
    ['m\xfcnchen.de', `${NAME}: "m\xfcnchen.de"`],
    [utf8('a／b'), `${NAME}: "a\xef\xbc\\u008fb"`],
    ['.', 'host with an empty label: "."'],
    ['..', 'host with an empty label: ".."'],
    ['.com', 'host with an empty label: ".com"'],
    ['a..b', 'host with an empty label: "a..b"'],
    ['a..', 'host with an empty label: "a.."'],
    [`${'a.'.repeat(126)}aa`, `host longer than 253 bytes: "${'a.'.repeat(30)}…"`],
    [`${'A.'.repeat(126)}aa.`, `host longer than 253 bytes: "${'A.'.repeat(30)}…"`],
  ] as const) {
    test(`${JSON.stringify(written.slice(0, 40))} is refused`, () => {
      assert.throws(() => parseAuthority(written, 80), refusal(message));
    });
  }
});

describe('a port', () => {
  for (const [written, port] of [
    ['a', 8000],
    ['a:', 8000],
    ['a:80', 80],
    ['a:080', 80],
    ['a:0000080', 80],
    ['a:1', 1],
    ['a:65535', 65_535],
    ['[::1]:81', 81],
    ['[::1]:', 8000],
  ] as const) {
    test(`in ${written} is ${port}`, () => assert.equal(parseAuthority(written, 8000).port, port));
  }

  for (const written of ['a:0', 'a:65536', 'a:99999', `a:${'9'.repeat(50)}`, '[::1]:0']) {
    test(`in ${written.slice(0, 20)} is refused`, () => {
      assert.throws(() => parseAuthority(written, 80), refusal(`port not understood, expected 1 to 65535: "${written}"`));
    });
  }

  for (const written of ['a:+1', 'a:-1', 'a:x', 'a:8 0', 'a:0x50']) {
    test(`in ${written} is refused`, () => {
      assert.throws(() => parseAuthority(written, 80), refusal(`host not understood, expected host or host:port: "${written}"`));
    });
  }
});

describe('a target in absolute form', () => {
  for (const [target, host, port, path, url] of [
    ['http://example.com/', 'example.com', 80, '/', 'http://example.com/'],
    ['http://example.com:8080/a/../b?c=d?e', 'example.com', 8080, '/a/../b?c=d?e', 'http://example.com:8080/a/../b?c=d?e'],
    ['HTTP://Example.COM:80/A', 'example.com', 80, '/A', 'HTTP://Example.COM:80/A'],
    ['http://example.com', 'example.com', 80, '/', 'http://example.com/'],
    ['http://example.com?a=b', 'example.com', 80, '/?a=b', 'http://example.com/?a=b'],
    ['http://example.com:/x', 'example.com', 80, '/x', 'http://example.com:/x'],
    ['http://127.1/', '127.0.0.1', 80, '/', 'http://127.1/'],
    ['http://[::1]:81/', '::1', 81, '/', 'http://[::1]:81/'],
    ['http://a//b\\c"<>', 'a', 80, '//b\\c"<>', 'http://a//b\\c%22%3C%3E'],
    ['http://a/[^`{|}]', 'a', 80, '/[^`{|}]', 'http://a/[^`{|}]'],
    ['http://a/%zz%41', 'a', 80, '/%zz%41', 'http://a/%zz%41'],
    ['http://a/http://b/', 'a', 80, '/http://b/', 'http://a/http://b/'],
    ['http://a/u@b:c', 'a', 80, '/u@b:c', 'http://a/u@b:c'],
    [utf8('http://a/ä'), 'a', 80, utf8('/ä'), 'http://a/%C3%A4'],
    ['http://a/#b', 'a', 80, '/', 'http://a/'],
    ['http://a#b', 'a', 80, '/', 'http://a/'],
    ['http://a/?b#c#d?e', 'a', 80, '/?b', 'http://a/?b'],
    ['http://a:81#/b', 'a', 81, '/', 'http://a:81/'],
    ['http://u:p@a/', 'a', 80, '/', 'http://a/'],
    ['HTTP://u@A:81/b', 'a', 81, '/b', 'HTTP://A:81/b'],
    ['http://@a', 'a', 80, '/', 'http://a/'],
    ['http://u:p@w:d@a:81?b#u:p@c', 'a', 81, '/?b', 'http://a:81/?b'],
    ['http://u%40x:p%2f@[::1]/', '::1', 80, '/', 'http://[::1]/'],
    [utf8('http://ü:ß@a/ä'), 'a', 80, utf8('/ä'), 'http://a/%C3%A4'],
    ['http://a/\xe4', 'a', 80, '/\xe4', 'http://a/%E4'],
    [utf8('http://münchen.de:81/ü'), 'xn--mnchen-3ya.de', 81, utf8('/ü'), 'http://xn--mnchen-3ya.de:81/%C3%BC'],
  ] as const) {
    test(`${JSON.stringify(target)} is read`, () => {
      assert.deepEqual(absoluteTarget('GET', target), { scheme: 'http', host, port, path, url });
    });
  }

  test('of OPTIONS without a path means the whole server', () => {
    const target = absoluteTarget('OPTIONS', 'http://a:81');
    assert.deepEqual([target.path, target.url], ['*', 'http://a:81']);
    assert.equal(absoluteTarget('OPTIONS', 'http://a/').path, '/');
    assert.equal(absoluteTarget('OPTIONS', 'http://a?b').path, '/?b');
  });

  for (const target of ['/', '*', 'example.com:80', 'https://a/', 'ftp://a/', 'http:/a', 'http:a', '//a/', 'xhttp://a/']) {
    test(`${target} is refused`, () => {
      assert.throws(
        () => absoluteTarget('GET', target),
        refusal(`request target not understood, expected http://host[:port]/path: ${JSON.stringify(target)}`),
      );
    });
  }

  test('without a host is refused', () => {
    for (const target of ['http:///x', 'http://', 'http://?x']) {
      assert.throws(() => absoluteTarget('GET', target), refusal('host not understood, expected host or host:port: ""'));
    }
  });

  test('whose user info would be a host for browsers is refused, and what was a password is not told', () => {
    const FORM = 'host not understood, expected host or host:port';
    assert.throws(() => absoluteTarget('GET', 'http://b\\@a/'), refusal(`${FORM}: "***@a"`));
    assert.throws(() => absoluteTarget('GET', 'http://u:secret@'), refusal(`${FORM}: ""`));
    assert.throws(() => absoluteTarget('GET', 'http://u:secret@a b/'), refusal(`${FORM}: "a b"`));
    assert.throws(
      () => absoluteTarget('GET', 'ftp://u:secret@a/'),
      refusal('request target not understood, expected http://host[:port]/path: "ftp://***@a/"'),
    );
  });
});

describe('a target inside of a tunnel', () => {
  const tunnel: Tunnel = { scheme: 'https', host: 'example.com', port: 443 };
  const v6: Tunnel = { scheme: 'http', host: '::1', port: 8080 };

  for (const [method, target, path, url] of [
    ['GET', '/a?b', '/a?b', 'https://example.com/a?b'],
    ['GET', '//a/b', '//a/b', 'https://example.com//a/b'],
    ['GET', '/?', '/?', 'https://example.com/?'],
    ['GET', '/\xe4', '/\xe4', 'https://example.com/%E4'],
    ['OPTIONS', '*', '*', 'https://example.com'],
    ['OPTIONS', 'https://example.com', '*', 'https://example.com'],
    ['GET', 'https://EXAMPLE.com:443/a', '/a', 'https://example.com/a'],
    ['GET', 'HTTPS://example.com?a', '/?a', 'https://example.com/?a'],
    ['GET', 'https://example.com', '/', 'https://example.com/'],
    ['GET', '/a#b', '/a', 'https://example.com/a'],
    ['GET', '/#', '/', 'https://example.com/'],
    ['GET', '/a?"<>', '/a?"<>', 'https://example.com/a?%22%3C%3E'],
    ['GET', 'https://example.com/#a', '/', 'https://example.com/'],
    ['GET', 'https://u:p@example.com?a#b', '/?a', 'https://example.com/?a'],
  ] as const) {
    test(`${method} ${JSON.stringify(target)} is ${url}`, () => {
      assert.deepEqual(tunnelTarget(tunnel, method, target), { ...tunnel, path, url });
    });
  }

  test('has the port in its URL unless it is the usual one, and brackets around IPv6', () => {
    assert.equal(tunnelTarget(v6, 'GET', '/a').url, 'http://[::1]:8080/a');
    assert.equal(tunnelTarget({ ...tunnel, port: 80 }, 'GET', '/a').url, 'https://example.com:80/a');
    assert.equal(tunnelTarget({ ...tunnel, scheme: 'http', port: 80 }, 'GET', '/a').url, 'http://example.com/a');
    assert.equal(tunnelTarget(v6, 'GET', 'http://[0::1]:8080/a').path, '/a');
  });

  for (const target of ['a', '*', '?a', 'http://example.com/', 'https://other.com/', 'https://example.com:444/', '#a']) {
    test(`GET ${target} is refused`, () => {
      assert.throws(
        () => tunnelTarget(tunnel, 'GET', target),
        refusal(`request target not understood, expected a path on https://example.com: ${JSON.stringify(target)}`),
      );
    });
  }

  test('on another host is refused without telling a password', () => {
    assert.throws(
      () => tunnelTarget(tunnel, 'GET', 'https://u:secret@other.com/'),
      refusal('request target not understood, expected a path on https://example.com: "https://***@other.com/"'),
    );
  });
});

describe('the target of CONNECT', () => {
  for (const [target, host, port] of [
    ['example.com:443', 'example.com', 443],
    ['Example.COM:8443', 'example.com', 8443],
    ['[2001:DB8::1]:443', '2001:db8::1', 443],
    ['127.1:80', '127.0.0.1', 80],
  ] as const) {
    test(`${target} is read`, () => assert.deepEqual(connectTarget(target), { host, port }));
  }

  for (const target of ['example.com', 'example.com:', 'example.com:https', 'https://example.com', '/', '*', '[::1]', 'a:443/']) {
    test(`${target} is refused`, () => {
      assert.throws(() => connectTarget(target), refusal(`CONNECT target not understood, expected host:port: "${target}"`));
    });
  }

  test('with a bad host or port is refused', () => {
    assert.throws(() => connectTarget('u@a:443'), refusal('host not understood, expected host or host:port: "***@a:443"'));
    assert.throws(() => connectTarget('::1:443'), refusal('host not understood, expected host or host:port: "::1:443"'));
    assert.throws(() => connectTarget('a:0'), refusal('port not understood, expected 1 to 65535: "a:0"'));
  });
});

describe('a URL as people and pages write it', () => {
  for (const [written, path, url] of [
    ['https://u:p@example.com/a b"<>#c', '/a%20b%22%3C%3E', 'https://example.com/a%20b%22%3C%3E'],
    [' HTTP://example.com?q=ä ', '/?q=%C3%A4', 'http://example.com/?q=%C3%A4'],
    ['http://u:p@w@example.com', '/', 'http://example.com/'],
  ] as const) {
    test(`${written} is ${url}`, () => {
      const target = urlTarget('GET', written);
      assert.deepEqual([target.host, target.path, target.url], ['example.com', path, url]);
    });
  }

  test('is refused without telling a password', () => {
    assert.throws(
      () => urlTarget('GET', 'ftp://u:secret@a/'),
      refusal('URL not understood, expected one that begins with http:// or https://: "ftp://***@a/"'),
    );
  });
});

describe('the URI of a record that a client writes', () => {
  for (const [target, uri] of [
    ['screenshot:https://example.com/?q="exact"', 'screenshot:https://example.com/?q=%22exact%22'],
    ['x:<a b>', 'x:%3Ca%20b%3E'],
    [utf8('x:É'), 'x:%C3%89'],
    ['x:a#b#c', 'x:a#b#c'],
    ['http://a/b?c#d', 'http://a/b?c#d'],
    ['http://a', 'http://a/'],
    ['https://a:81?b', 'https://a:81/?b'],
    ['HTTP://a#b', 'HTTP://a/#b'],
    ['http://u:p@a?b', 'http://a/?b'],
    ['screenshot:https://u:p@a@b', 'screenshot:https://b'],
    ['youtube-dl:00001:http://u:p@a/u@b', 'youtube-dl:00001:http://a/u@b'],
    ['ftp://u:p@a/', 'ftp://a/'],
    ['mailto:u@a', 'mailto:u@a'],
    ['x:[^`{|}\\]%zz', 'x:[^`{|}\\]%zz'],
  ] as const) {
    test(`${JSON.stringify(target)} is ${uri}`, () => assert.equal(recordUri(target), uri));
  }

  for (const target of ['a', '/a', '*', '1x:y', 'x:', ':y', 'a b:c']) {
    test(`${target} is none`, () => {
      assert.throws(
        () => recordUri(target),
        refusal(`request target is no URI, which WARC-Target-URI has to be: ${JSON.stringify(target)}`),
      );
    });
  }
});

test('Host names the port unless it is the usual one, and brackets IPv6', () => {
  assert.equal(hostField({ scheme: 'http', host: 'a', port: 80 }), 'a');
  assert.equal(hostField({ scheme: 'http', host: 'a', port: 443 }), 'a:443');
  assert.equal(hostField({ scheme: 'https', host: '::1', port: 443 }), '[::1]');
  assert.equal(hostField({ scheme: 'https', host: '::1', port: 444 }), '[::1]:444');
});

test('the URL of a log is whole inside of a tunnel, too, and has no user info', () => {
  const tunnel: Tunnel = { scheme: 'https', host: '::1', port: 8443 };
  const urls = ['/a?b', '//a', '*', 'https://me:secret@[::1]:8443/a', 'urn:x', 'screenshot:http://me:secret@a/'];
  assert.deepEqual(
    urls.map((target) => writtenUrl(target, tunnel)),
    ['https://[::1]:8443/a?b', 'https://[::1]:8443//a', 'https://[::1]:8443', 'https://[::1]:8443/a', 'urn:x', 'screenshot:http://a/'],
  );
  assert.equal(writtenUrl('http://me:secret@a/b', undefined), 'http://a/b');
});
