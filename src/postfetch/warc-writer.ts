/**
 * `WarcWriterProcessor`: decides what is archived, and writes it.
 *
 * Source: spec/warcprox.md §4 (Writer).
 */
import type { Capture, CustomRecordCapture, ExchangeCapture } from '../capture/capture.ts';
import type { Spool } from '../util/spool.ts';
import type { Log } from '../util/log.ts';
import type { WriterPool } from '../warc/pool.ts';
import { buildRecords, type RecordOptions } from '../warc/records.ts';
import type { Processor } from './processor.ts';

export interface WarcWriterOptions {
  readonly pool: WriterPool;
  readonly records: RecordOptions;
  /** only these methods are archived; none for all. Custom records always are */
  readonly methods: readonly string[];
  readonly log: Log;
}

/** A prefix that stands for "archive nothing". */
const NO_PREFIX = '-';

type Archivable = ExchangeCapture | CustomRecordCapture;

export function warcWriter({ pool, records, methods, log }: WarcWriterOptions): Processor {
  const wanted = new Set(methods);

  const archived = (capture: Capture): capture is Archivable => {
    if (capture.kind === 'failure' || !capture.outcome.archive) return false;
    return capture.warcPrefix !== NO_PREFIX && (wanted.size === 0 || capture.kind === 'custom' || wanted.has(capture.method));
  };

  return {
    name: 'WarcWriterProcessor',
    async process(batch) {
      const captures: Archivable[] = [];
      for (const capture of batch) {
        if (!archived(capture)) capture.outcome.archive = false;
        else if (await readable(capture, log)) captures.push(capture);
      }
      const built = await buildRecords(captures, records);
      const written = await pool.write(captures.map(({ warcPrefix }, index) => ({ prefix: warcPrefix, records: built[index] ?? [] })));
      for (const [index, capture] of captures.entries()) capture.outcome.records = written[index] ?? [];
    },
    close: () => pool.close(),
  };
}

/** False when the temporary file of a capture has failed: that capture is lost, and nothing else. */
async function readable(capture: Archivable, log: Log): Promise<boolean> {
  for (const spool of spoolsOf(capture)) {
    if (spool.memory !== undefined) continue;
    await spool.flushed();
    if (spool.error === undefined) continue;
    log.error({ url: capture.url, err: spool.error }, `not archived, because its temporary file failed: ${spool.error.message}`);
    capture.outcome.archive = false;
    return false;
  }
  return true;
}

function spoolsOf(capture: Archivable): readonly Spool[] {
  return capture.kind === 'custom' ? [capture.block.bytes] : [capture.response.bytes, capture.request.bytes];
}
