/**
 * Pages that the primary process makes, answered by whichever worker is asked for them.
 *
 * What has a length goes over the wire whole; a stream goes piece by piece, each asked for when the client has taken the one before.
 */
import type { Wire, WireHandlers } from '../../util/wire.ts';
import type { CaptureEvent } from '../../web/captures/event.ts';
import type { KnownCaptures } from '../../web/archived/find.ts';
import { LIVE_PATHS, type LivePages } from '../watching.ts';

type Pairs = readonly (readonly [name: string, value: string])[];

/** A response on the wire. */
interface Answered {
  readonly status: number;
  readonly headers: Pairs;
  readonly text?: string;
  /** of the stream that its body is */
  readonly stream?: number;
}

/** In the primary process, for one worker; what that reads is given up when it ends. */
export function servePages(wire: Wire, pages: LivePages, known: KnownCaptures): void {
  const open = new Map<number, ReadableStreamDefaultReader<Uint8Array>>();
  let number = 0;
  const close = (stream: number) => {
    const reader = open.get(stream);
    open.delete(stream);
    reader?.cancel().catch(() => undefined);
  };
  void wire.closed.then(() => [...open.keys()].forEach(close));
  const handlers: WireHandlers = {
    page: async (path: keyof LivePages, method: string, url: string, asked: [string, string][]): Promise<Answered> => {
      const response = await pages[path](new Request(url, { method, headers: asked }));
      const head = { status: response.status, headers: [...response.headers] };
      if (response.body === null) return head;
      if (response.headers.has('content-length')) return { ...head, text: await response.text() };
      open.set(++number, response.body.getReader());
      return { ...head, stream: number };
    },
    pagePiece: async (stream: number): Promise<string | undefined> => {
      const { value } = (await open.get(stream)?.read()) ?? {};
      if (value === undefined) close(stream);
      return value && Buffer.from(value).toString('utf8');
    },
    pageOver: close,
    captureByNumber: (instance: string, id: number) => known.byNumber(instance, id),
    captureByRecord: (recordId: string) => known.byRecord(recordId),
  };
  wire.serve(handlers);
}

export interface RemotePages {
  readonly pages: LivePages;
  readonly known: KnownCaptures;
  /** Whoever reads one is told that it is over. */
  end(): void;
}

/** In a worker. */
export function remotePages(wire: Wire): RemotePages {
  const open = new Set<() => void>();
  const page = (path: keyof LivePages) => async (request: Request) => {
    const { method, url, headers } = request;
    const answered = (await wire.call('page', path, method, url, [...headers])) as Answered;
    const body = answered.stream === undefined ? answered.text : streamOf(wire, answered.stream, open);
    return new Response(body ?? null, { status: answered.status, headers: answered.headers.map(([name, value]) => [name, value]) });
  };
  return {
    pages: Object.fromEntries(LIVE_PATHS.map((path) => [path, page(path)])) as LivePages,
    known: {
      byNumber: (instance, id) => wire.call('captureByNumber', instance, id) as Promise<CaptureEvent | undefined>,
      byRecord: (recordId) => wire.call('captureByRecord', recordId) as Promise<CaptureEvent | undefined>,
    },
    end: () => {
      for (const end of open) end();
    },
  };
}

function streamOf(wire: Wire, stream: number, open: Set<() => void>): ReadableStream<Uint8Array> {
  let end = (): void => undefined;
  const over = () => {
    wire.tell('pageOver', stream);
    open.delete(end);
  };
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        end = () => {
          over();
          controller.close();
        };
        open.add(end);
      },
      pull: async (controller) => {
        const piece = (await wire.call('pagePiece', stream)) as string | undefined;
        if (!open.has(end)) return;
        if (piece === undefined) end();
        else controller.enqueue(Buffer.from(piece));
      },
      cancel: over,
    },
    { highWaterMark: 0 },
  );
}
