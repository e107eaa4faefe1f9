/** What the secrets of a server, or of `set_mock`, are as answers. */
import { compact } from './json-text.ts';
import { isObject, ScraperError } from './message.ts';
import type { SecretName } from './server.ts';

/** @param content parsed JSON of the request. @throws ScraperError */
export function readSecretName(content: unknown, defaultKey: string): SecretName {
  if (content !== null && !isObject(content)) throw new ScraperError('content is expected to be an object with encryption_key and key');
  const fields = content ?? {};
  const [key, encryptionKey] = ['key', 'encryption_key'].map((name) => {
    const value = Object.hasOwn(fields, name) ? (fields[name] ?? '') : '';
    if (typeof value !== 'string') throw new ScraperError(`${name} is expected to be a string`);
    return value;
  }) as [string, string];
  return { key: key === '' ? defaultKey : key, encryptionKey };
}

/** Any JSON, its numbers as they were written. */
export function anySecret(text: string): string {
  return compact(text);
}

/** @throws ScraperError */
export function usersSecret(text: string): string {
  const users: unknown = JSON.parse(text) ?? [];
  if (!Array.isArray(users)) throw new ScraperError('the secret is expected to be a list of objects with username and password');
  return JSON.stringify(users.map(userOf));
}

/** @throws ScraperError */
export function userSecret(text: string): string {
  return JSON.stringify(userOf(JSON.parse(text)));
}

function userOf(user: unknown): { username: string; password: string } {
  if (user !== null && !isObject(user)) throw new ScraperError('the secret is expected to be an object with username and password');
  const { username = '', password = '' } = user ?? {};
  if ((username !== null && typeof username !== 'string') || (password !== null && typeof password !== 'string')) {
    throw new ScraperError('username and password of a secret are expected to be strings');
  }
  return { username: username ?? '', password: password ?? '' };
}
