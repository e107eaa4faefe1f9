/** What stands in WARC files, as another library reads it. */
import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { WARCParser } from 'warcio';

/** Responses and revisits: their identifiers, with what they are of. */
export async function archivedIn(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.includes('.warc'))) {
    for await (const record of new WARCParser(createReadStream(join(folder, name)))) {
      const { warcType: type, warcTargetURI: url } = record;
      const id = record.warcHeader('WARC-Record-ID');
      if ((type === 'response' || type === 'revisit') && id !== null && id !== undefined) found.set(id, url ?? '');
      await record.skipFully();
    }
  }
  return found;
}
