/** Captures told by `/events`, as a client of server-sent events reads them. */
import type { CaptureEvent } from '../../../src/web/captures/event.ts';

export interface Told {
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
}

/** Read a stream of events, as the HTML Standard has it. */
export async function* told(body: ReadableStream<Uint8Array>): AsyncGenerator<Told> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const piece of body) {
    text += decoder.decode(piece, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n');
      text = text.slice(end + 2);
      const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = field('data');
      if (data !== undefined) yield { id: field('id') ?? '', name: field('event') ?? 'message', data: JSON.parse(data) as unknown };
    }
  }
}

/** The next so many events of a stream. */
export async function take(events: AsyncGenerator<Told>, count: number): Promise<Told[]> {
  const taken: Told[] = [];
  while (taken.length < count) {
    const next = await events.next();
    if (next.done === true) throw new Error(`the stream ended after ${taken.length} of ${count} events`);
    taken.push(next.value);
  }
  return taken;
}

export const urlOf = ({ data }: Told): string => (data as CaptureEvent).url;
