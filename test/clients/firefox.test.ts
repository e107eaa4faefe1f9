/** Firefox through the proxy: a page with 100 resources, an upload and an event stream by HTTP/2, and a WebSocket. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firefoxTool, openFirefox } from '../support/firefox.ts';
import { startHttp2Origin } from '../support/http2.ts';
import { startProxy } from '../support/proxy.ts';
import { messagesIn, startSocketOrigin } from '../support/websocket.ts';

const firefox = firefoxTool();
const RESOURCES = 100;

/** In the page: what it hears, and how it ended. */
const inSocket = (url: string) => `new Promise((resolve) => {
  const heard = [];
  const socket = new WebSocket('${url}');
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => { socket.send('Grüße'); socket.send(new Uint8Array([0, 1, 255])); };
  socket.onmessage = ({ data }) => {
    heard.push(typeof data === 'string' ? data : [...new Uint8Array(data)].join());
    if (heard.length === 2) socket.close(3001, 'enough');
  };
  socket.onclose = ({ code, wasClean }) => resolve(JSON.stringify([...heard, code, wasClean]));
})`;

test('a page with 100 resources at once, an upload, an event stream, all by h2; a WebSocket', { skip: firefox.skip }, async () => {
  await using sockets = await startSocketOrigin(
    (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
    { tls: true, perMessageDeflate: { threshold: 0 } },
  );
  await using origin = await startHttp2Origin((stream, headers) => {
    const path = headers[':path'] ?? '';
    const answer = (type: string, body: string) => {
      stream.respond({ ':status': 200, 'content-type': type });
      stream.end(body);
    };
    if (path === '/') {
      const scripts = Array.from({ length: RESOURCES }, (_, n) => `<script async src="/${n}.js"></script>`);
      return answer('text/html', `<!doctype html><script>loaded = 0</script>${scripts.join('')}`);
    }
    if (path === '/upload') {
      let received = 0;
      stream.on('data', (piece: Buffer) => (received += piece.length));
      stream.on('end', () => answer('text/plain', String(received)));
      return;
    }
    if (path === '/events') return answer('text/event-stream', 'data: first\n\ndata: second\n\n');
    answer('text/javascript', 'loaded++');
  });
  await using proxy = await startProxy();
  await using page = await openFirefox(firefox.command, proxy.port);
  await page.goto(`${origin.url}/`);
  const protocols = await page.evaluate(
    `JSON.stringify([...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].filter(({ name }) => !name.endsWith('.ico')).map((each) => each.nextHopProtocol))`,
  );
  assert.deepEqual(
    JSON.parse(protocols),
    Array.from({ length: RESOURCES + 1 }, () => 'h2'),
  );
  assert.equal(await page.evaluate('String(loaded)'), String(RESOURCES));
  const upload = `fetch('/upload', { method: 'POST', body: new Uint8Array(300000) }).then((answer) => answer.text())`;
  assert.equal(await page.evaluate(upload), '300000');
  const events = `new Promise((resolve) => { const heard = []; const events = new EventSource('/events');
    events.onmessage = ({ data }) => { heard.push(data); if (heard.length === 2) { events.close(); resolve(heard.join()); } }; })`;
  assert.equal(await page.evaluate(events), 'first,second');
  const heard = await page.evaluate(inSocket(`wss://127.0.0.1:${sockets.port}/`));
  assert.deepEqual(JSON.parse(heard), ['Grüße', '0,1,255', 3001, true]);
  await proxy.captured(RESOURCES + 4);
  const records = await proxy.records();
  const scripts = records.filter(({ type, url }) => /^(?:response|revisit)$/.test(type) && url.endsWith('.js'));
  assert.equal(scripts.length, RESOURCES);
  for (const { fields } of scripts) assert.match(fields.get('warc-protocol') ?? '', /h2/);
  const log = records.find(({ fields }) => fields.get('warc-resource-type') === 'websocket');
  assert.ok(
    messagesIn(log).some((line) => line.includes('Grüße')),
    messagesIn(log).join(),
  );
});
