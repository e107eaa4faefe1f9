/**
 * Another reading of the same bytes: the parser of `node:http` (llhttp), called without a socket, so that millions of inputs are possible.
 *
 * That the servers and clients of `node:http` read with it, and as it is called here, is checked in differential.test.ts.
 */
interface Parser {
  initialize(type: number, resource: object, maxHeaderSize: number, leniency: number): void;
  execute(bytes: Buffer): number | Error;
  finish(): Error | undefined;
  [callback: number]: (...args: never[]) => unknown;
}

interface ParserClass {
  new (): Parser;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kOnMessageBegin: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
  readonly kLenientNone: number;
  readonly kLenientAll: number;
}

interface Binding {
  readonly HTTPParser: ParserClass;
  readonly allMethods: readonly string[];
}

export interface NodeMessage {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly status: number | undefined;
  /** without transfer-coding, Latin-1 */
  body: string;
  complete: boolean;
}

export interface NodeReading {
  readonly messages: readonly NodeMessage[];
  /** code of the error that ended the reading */
  readonly error: string | undefined;
}

export type Leniency = 'usual' | 'lenient';
/** `lenient` is `insecureHTTPParser: true`. */
export const LENIENCIES: readonly Leniency[] = ['usual', 'lenient'];

export interface NodeParser {
  requests(bytes: Buffer, leniency: Leniency): NodeReading;
  /** @param method of the request that the first of them answers, others answer GET; the connection ends after the bytes */
  responses(bytes: Buffer, leniency: Leniency, method: string): NodeReading;
}

/** @returns undefined where this version of Node does not let its parser be called */
export function nodeParser(): NodeParser | undefined {
  const binding = bindingOf();
  if (binding === undefined) return undefined;
  const { HTTPParser, allMethods } = binding;
  const parser = new HTTPParser();
  let messages: NodeMessage[] = [];
  let url = '';
  let headAnswered = false;
  parser[HTTPParser.kOnMessageBegin] = () => {
    url = '';
  };
  // Called besides when there are more than 32 fields.
  parser[HTTPParser.kOnHeaders] = (_fields: never, part: string) => {
    url += part;
  };
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: never,
    _minor: never,
    _fields: never,
    method?: number,
    target?: string,
    status?: number,
  ) => {
    const message = {
      method: method === undefined ? undefined : allMethods[method],
      url: target ?? url,
      status,
      body: '',
      complete: false,
    };
    messages.push(message);
    if (status === undefined) return 0;
    // As the client of node:http answers: 1 says that there is no body.
    if (status < 200) return 1;
    const skips = headAnswered;
    headAnswered = false;
    return skips ? 1 : 0;
  };
  parser[HTTPParser.kOnBody] = (piece: Buffer) => {
    messages.at(-1)!.body += piece.toString('latin1');
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    messages.at(-1)!.complete = true;
  };
  const read = (type: number, bytes: Buffer, leniency: Leniency, ends: boolean): NodeReading => {
    messages = [];
    parser.initialize(type, {}, 0, leniency === 'usual' ? HTTPParser.kLenientNone : HTTPParser.kLenientAll);
    const result = parser.execute(bytes);
    const error = result instanceof Error ? result : ends ? parser.finish() : undefined;
    return { messages, error: error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : undefined };
  };
  return {
    requests(bytes, leniency) {
      headAnswered = false;
      return read(HTTPParser.REQUEST, bytes, leniency, false);
    },
    responses(bytes, leniency, method) {
      headAnswered = method === 'HEAD';
      return read(HTTPParser.RESPONSE, bytes, leniency, true);
    },
  };
}

function bindingOf(): Binding | undefined {
  try {
    return (process as unknown as { binding?: (name: string) => unknown }).binding?.('http_parser') as Binding | undefined;
  } catch {
    return undefined;
  }
}
