/**
 * Listening where the options say, or one line that says why not and which option helps.
 *
 * A port in use is asked who has it: mostly it is the same proxy, started twice.
 */
import { get } from 'node:http';
import type { Listener } from '../serve/listener.ts';
import { ListenError } from '../util/listen.ts';
import type { Log } from '../util/log.ts';
import { isLoopback } from '../util/network.ts';
import { codeOf, reasonOf } from '../util/thrown.ts';

export interface Place {
  readonly address: string;
  readonly port: number;
  /** the flag that has said which port */
  readonly portFlag: string;
}

/** Ports that other users than root may have to do without. */
const PRIVILEGED_PORTS = 1024;
const ASK_MS = 1000;
const MAX_STATUS_CHARS = 65_536;

/** @throws ListenError */
export async function listenAt(listener: Pick<Listener, 'listen'>, place: Place): Promise<void> {
  const { address, port } = place;
  try {
    await listener.listen(port, address);
  } catch (cause) {
    throw new ListenError({ address, port, code: codeOf(cause) ?? 'UNKNOWN', why: await whyNot(cause, place), cause });
  }
}

/** Once it listens. @param login clients are asked for a password */
export function warnIfOpen(address: string, login: boolean, log: Log): void {
  if (!login && !isLoopback(address)) log.warn({ address }, 'other machines can use this proxy without a password, see --proxy-auth-file');
}

async function whyNot(error: unknown, { address, port, portFlag }: Place): Promise<string> {
  switch (codeOf(error)) {
    case 'EADDRINUSE': {
      const pid = await proxyAt(address, port);
      const user = pid === undefined ? '' : `, by a warctap or warcprox (process ${pid})`;
      return `the port is in use${user}; ${portFlag} names another one, ${portFlag} 0 picks one that is free`;
    }
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address; --address names one that it has, or 0.0.0.0 for all of them';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name has no address; --address names another one, or an address';
    case 'EACCES':
      if (port < PRIVILEGED_PORTS) return `not permitted, as it mostly is below ${PRIVILEGED_PORTS}; ${portFlag} names another port`;
  }
  return reasonOf(error);
}

/** The process of the proxy that answers there, if one does. */
function proxyAt(address: string, port: number): Promise<number | undefined> {
  const host = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address;
  return new Promise((resolve) => {
    const request = get({ host, port, path: '/status', agent: false, signal: AbortSignal.timeout(ASK_MS) }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
        if (text.length > MAX_STATUS_CHARS) response.destroy();
      });
      response.on('end', () => resolve(pidIn(text))).on('error', () => resolve(undefined));
      response.on('close', () => resolve(undefined));
    });
    request.on('error', () => resolve(undefined));
  });
}

/** Of `GET /status`. */
function pidIn(text: string): number | undefined {
  try {
    const status = JSON.parse(text) as { role?: unknown; pid?: unknown } | null;
    return status?.role === 'warcprox' && typeof status.pid === 'number' ? status.pid : undefined;
  } catch {
    return undefined;
  }
}
