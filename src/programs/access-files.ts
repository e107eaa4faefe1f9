/**
 * The files that say who may use the proxy, and steer it, as options of the proxy.
 */
import { AuthFileError, readAuthFile, type Users } from '../auth/auth-file.ts';
import { createAuthenticator, type UserAuthenticator } from '../auth/authenticator.ts';
import { readMetaSecret } from '../auth/meta-secret.ts';
import { OptionError } from '../options/error.ts';
import type { ListeningSlice } from '../options/rows/listening.ts';
import type { Log } from '../util/log.ts';

/** Undefined where everybody may use the proxy. @throws OptionError */
export async function authenticatorOf({ proxyAuthFile: file }: ListeningSlice, log: Log): Promise<UserAuthenticator | undefined> {
  return file === undefined ? undefined : createAuthenticator({ users: await usersOf(file, log) });
}

/** @throws OptionError */
export function usersOf(file: string, log: Log): Promise<Users> {
  return orRefused('proxyAuthFile', file, readAuthFile(file, log));
}

/** What has to stand beside Warcprox-Meta, if anything. @throws OptionError */
export async function metaSecretOf({ metaSecret, metaSecretFile: file }: ListeningSlice, log: Log): Promise<string | undefined> {
  if (file === undefined) return metaSecret;
  if (metaSecret !== undefined) throw new OptionError('metaSecretFile', file, 'only one of --meta-secret and --meta-secret-file');
  return orRefused('metaSecretFile', file, readMetaSecret(file, log));
}

/** @throws OptionError for a file that cannot be used */
async function orRefused<T>(option: string, file: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof AuthFileError)) throw error;
    throw new OptionError(option, file, error.expected);
  }
}
