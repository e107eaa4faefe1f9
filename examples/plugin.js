/**
 * A plugin for warctap: keeps a list of everything that was archived, one JSON line per capture, next to the WARC files.
 *
 *   warctap --plugin ./examples/plugin.js
 *   tail -f warcs/captures.jsonl
 */
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';

/** @type {import('warctap').PluginFactory} */
export default function captureList(options, { log }) {
  const file = join(options.dir, 'captures.jsonl');
  let handle;

  return {
    name: 'CaptureList',

    async start() {
      await mkdir(options.dir, { recursive: true });
      handle = await open(file, 'a');
      log.info({ file }, 'captures are listed');
    },

    async process(batch) {
      let lines = '';
      for (const capture of batch) {
        const [principal] = capture.outcome.records ?? [];
        if (principal === undefined) continue; // failed, or not to be archived
        const { filename, offset, type } = principal;
        lines += `${JSON.stringify({ url: capture.url, date: capture.startedAt, type, filename, offset })}\n`;
      }
      await handle.appendFile(lines);
    },

    async stop() {
      await handle?.close();
    },
  };
}
