/**
 * A worker that fetches nothing: takes URLs, reports them, and writes down in a ledger of its own what it was answered, line by line, so that
 * it can be killed at any moment.
 *
 *   node kills-worker.js MANAGER KEY LEDGER
 *
 * Lines: `G asked received url` for what it was given, `T time url` before it reports, `R time url` after that was answered.
 */
import { appendFileSync } from 'node:fs';
import { setInterval } from 'node:timers';
import { setTimeout as wait } from 'node:timers/promises';

const [manager, key, ledger] = process.argv.slice(2);
const headers = { 'X-Heroshi-Auth': key };

// A call whose connection was cut may never be settled, and then nothing else would keep the program running.
setInterval(() => undefined, 60_000);

/** Until it is answered: the manager may be away. */
async function call(path, init) {
  for (;;) {
    try {
      const asked = Date.now();
      const response = await fetch(`${manager}${path}`, { ...init, headers, signal: AbortSignal.timeout(10_000) });
      const text = await response.text();
      if (response.ok) return { asked, received: Date.now(), value: JSON.parse(text) };
    } catch {
      // Killed, or not there yet.
    }
    await wait(20);
  }
}

for (;;) {
  const { asked, received, value } = await call('/crawl-queue', { method: 'POST', body: 'limit=40' });
  if (value.length === 0) {
    await wait(50);
    continue;
  }
  appendFileSync(ledger, value.map(({ url }) => `G ${asked} ${received} ${url}\n`).join(''));
  for (let at = 0; at < value.length; at += 10) {
    const urls = value.slice(at, at + 10).map(({ url }) => url);
    appendFileSync(ledger, urls.map((url) => `T ${Date.now()} ${url}\n`).join(''));
    const reports = urls.map((url) => ({
      url,
      status_code: 200,
      result: 'OK',
      headers: {},
      content_length: 1024,
      visited: '2026-01-05T10:00:00',
    }));
    const { received: answered } = await call('/report', { method: 'PUT', body: JSON.stringify(reports) });
    appendFileSync(ledger, urls.map((url) => `R ${answered} ${url}\n`).join(''));
  }
}
