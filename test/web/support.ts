/**
 * A client and a listener whose every request goes to one page.
 */
import { serveFetch, type FetchHandler } from '../../src/web/pages.ts';
import { recordingLog } from '../ca/support.ts';
import { RawClient } from '../support/client.ts';
import { startListening, type Listening } from '../support/listening.ts';

export interface PageClient extends AsyncDisposable {
  readonly listening: Listening;
  readonly client: RawClient;
}

export async function pageClient(page: FetchHandler): Promise<PageClient> {
  const { log, lines } = recordingLog();
  const listening = await startListening((request, client) => serveFetch(page, request, client, log), { log });
  const client = await RawClient.connect(listening.port);
  return {
    listening: { ...listening, logged: (level) => lines.filter((line) => line.level === level).map(({ message }) => message) },
    client,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await listening[Symbol.asyncDispose]();
    },
  };
}
