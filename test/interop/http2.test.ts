/** What was archived over HTTP/2 is read by other people's readers: Python's warcio and jwarc. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { http2Client, startHttp2Origin } from '../support/http2.ts';
import { startProxy } from '../support/proxy.ts';
import { jwarc, warcio } from './validators.ts';

/** By path: with trailers, twice the same, an upload, no body, no registered reason, cut off. */
function startVariousOrigin() {
  return startHttp2Origin((stream, headers) => {
    const respond = (status: number, waitForTrailers = false) => {
      stream.respond({ ':status': status, 'content-type': 'text/plain', 'set-cookie': ['a=1', 'b=2'] }, { waitForTrailers });
    };
    switch (headers[':path']) {
      case '/trailers':
        respond(200, true);
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-text': 'caf\u00e9' }));
        return stream.end('with trailers');
      case '/204':
        respond(204);
        return stream.end();
      case '/299':
        respond(299);
        return stream.end('no reason');
      case '/cut':
        respond(200);
        stream.write('the beginning');
        return setImmediate(() => stream.destroy(new Error('cut')));
      default:
        stream.resume();
        respond(200);
        return stream.end('the same each time');
    }
  });
}

for (const gzip of [false, true]) {
  for (const validator of [warcio(), jwarc()]) {
    test(`${validator.name} accepts all of it, ${gzip ? 'gzip' : 'plain'}`, { skip: validator.skip }, async () => {
      await using origin = await startVariousOrigin();
      await using proxy = await startProxy({ gzip, tlsEvidence: 'chain' });
      using client = await http2Client(proxy.port, `127.0.0.1:${origin.port}`, proxy.ca);
      const statuses: unknown[] = [];
      let captures = 0;
      for (const [path, method] of [
        ['/same', 'GET'],
        ['/same', 'GET'],
        ['/upload', 'POST'],
        ['/head', 'HEAD'],
        ['/trailers', 'GET'],
        ['/204', 'GET'],
        ['/299', 'GET'],
        ['/cut', 'GET'],
      ] as const) {
        const cookies = { cookie: ['a=1', 'b=2'] };
        const { status } = await client.get(path, { ':method': method, ...cookies }, method === 'POST' ? 'posted' : undefined);
        statuses.push(status);
        // One after the other, so that the second of the same is a revisit.
        await proxy.captured(++captures);
      }
      assert.deepEqual(statuses, [200, 200, 200, 200, 200, 204, 299, 200]);
      const records = await proxy.records();
      const count = (type: string) => records.filter((record) => record.type === type).length;
      assert.ok(count('revisit') >= 1);
      // Trailers, the certificates, and what was thought of them.
      assert.equal(count('metadata'), 3);
      assert.equal(records.filter(({ fields }) => fields.get('warc-truncated') === 'disconnect').length, 1);
      const dir = join(proxy.dir, 'warcs');
      const files = (await readdir(dir)).map((name) => join(dir, name));
      assert.deepEqual(validator.check(...files), { accepted: true, complaints: [] });
    });
  }
}
