/**
 * What is said of clients that TLS failed with: one line in words, with what to do, and no more than one a minute for each client.
 *
 * Source: RFC 8446 §6.2 (alerts); OpenSSL has their names in the reason of its errors.
 */
import type { Log } from '../util/log.ts';
import { Repeats } from '../util/repeats.ts';
import { codeOf, reasonOf } from '../util/thrown.ts';

export interface TlsFailure {
  /** address of the client, if that was known */
  readonly client: string | undefined;
  /** the host that it wanted to reach */
  readonly host: string;
  readonly error: Error;
}

export interface TlsFailures {
  tell(failure: TlsFailure): void;
  /** Tell what has been counted. */
  close(): void;
}

interface Words {
  readonly reasons: RegExp;
  readonly say: (client: string, host: string, reason: string, distrust: string) => string;
}

/** What a client that does not trust the certificate can do about it. */
export const TRUST_THE_CA = 'does not trust the CA certificate: import it there ("warctap ca export" prints it)';
export const TRUST_THE_FILE =
  'does not trust the certificate of --tls-cert: its authority has to be known there (NODE_EXTRA_CA_CERTS for a warctap)';

/** The first that knows the reason has the word. */
const WORDS: readonly Words[] = [
  {
    reasons: /alert (unknown ca|bad certificate|certificate unknown)/i,
    say: (client, _host, _reason, distrust) => `${client} ${distrust}`,
  },
  {
    reasons: /alert certificate expired/i,
    say: (client) => `${client} takes the certificate for expired: is its clock right?`,
  },
  {
    reasons: /^(ECONNRESET|EPIPE)$|unexpected eof/i,
    say: (client, host, _reason, distrust) => `${client} broke off TLS for ${host} without a word; if it always does, it ${distrust}`,
  },
  {
    reasons: /^/,
    say: (client, host, reason) => `TLS with ${client} for ${host} failed: ${reason}`,
  },
];

/** Whether the other side said so in an alert, which it may also do after the handshake. */
export function isTlsAlert(error: Error): boolean {
  return codeOf(error)?.includes('ALERT') === true;
}

export function tlsFailures(log: Log, distrust = TRUST_THE_CA): TlsFailures {
  const repeats = new Repeats();
  return {
    tell({ client: address = 'a client', host, error }) {
      const client = address.replace(/^::ffff:/, '');
      const reason = shortReason(error);
      const kind = WORDS.findIndex(({ reasons }) => reasons.test(reason));
      const message = WORDS[kind]?.say(client, host, reason, distrust) ?? '';
      repeats.add(`${client} ${kind}`, (more, ofOthers) => {
        if (ofOthers) log.info({ more }, `TLS with other clients failed ${more} times`);
        else if (more > 0) log.info({ client, host, reason, more }, `${message}; ${more} more ${more === 1 ? 'time' : 'times'}`);
        else log.info({ client, host, reason }, message);
      });
    },
    close: () => repeats.close(),
  };
}

/** OpenSSL's own line holds addresses and file names of its source. */
function shortReason(error: Error): string {
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : (codeOf(error) ?? reasonOf(error));
}
