/**
 * URLs that are given, in the place of a manager's queue: handed out in their order, as they come, each once.
 *
 * Answers the calls by which a worker asks for URLs and gives them back; all others go to the manager. While something is under way it answers
 * at once, otherwise it waits for the next URL, or for their end.
 */
import type { CallManager } from './manager.ts';

export interface GivenUrls {
  readonly call: CallManager;
  /** No more are taken. */
  close(): void;
}

const MAX_READY = 1000;

/** @param isQuiet nothing is under way */
export function givenUrls(urls: Iterable<string> | AsyncIterable<string>, manager: CallManager, isQuiet: () => boolean): GivenUrls {
  const ready: string[] = [];
  let ended = false;
  let wake = (): void => undefined;
  let room = (): void => undefined;
  const end = () => {
    ended = true;
    wake();
    room();
  };
  const read = async () => {
    for await (const url of urls) {
      if (ended) return;
      ready.push(url);
      wake();
      if (ready.length >= MAX_READY) await new Promise<void>((resolve) => (room = resolve));
    }
  };
  // What cannot be read any more is told by whoever reads it.
  void read().then(end, end);

  const call: CallManager = async (path, sent) => {
    if (path !== '/crawl-queue') return manager(path, sent);
    // What is given back was not fetched, and is not in any queue.
    if (sent?.method === 'DELETE') return Response.json(null);
    const limit = Number(new URLSearchParams(typeof sent?.body === 'string' ? sent.body : '').get('limit'));
    while (ready.length === 0 && !ended && isQuiet()) await new Promise<void>((resolve) => (wake = resolve));
    const taken = ready.splice(0, limit);
    room();
    return Response.json(taken.map((url) => ({ url, headers: {} })));
  };
  return { call, close: end };
}
