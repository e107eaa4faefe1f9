/** Where a proxy listens, and who may use it. */
import { host, path, wholeNumber } from '../kinds.ts';
import { group, type Resolved } from '../row.ts';

/** Where clients reach it. */
export const LISTENING_ROWS = group('Listening', {
  port: {
    short: 'p',
    argument: 'N',
    kind: wholeNumber(0, 65535),
    default: 8000,
    summary: 'port to listen on; 0 picks a free one',
  },
  address: {
    short: 'b',
    argument: 'A',
    kind: host,
    default: 'localhost',
    summary: 'host name or IP address to listen on',
  },
  proxyAuthFile: {
    argument: 'FILE',
    kind: path,
    defaultText: 'none',
    reloadable: true,
    summary: 'ask clients for a name and a password of this file, made by "warctap passwd"',
  },
});

export type ListeningSlice = Resolved<typeof LISTENING_ROWS>;
