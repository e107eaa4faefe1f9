/** What `set_credentials` and `set_multiple_credentials` hold, checked before anything is asked. */
import { isObject, ScraperError } from './message.ts';

export interface Credentials {
  /** URL */
  readonly serverLocation: string;
  readonly apiKeyId: string;
  readonly apiKey: string;
  /** whose answers count, and that is asked for secrets and reference numbers */
  readonly primary: boolean;
}

/**
 * One server, or a list of them; both commands take both.
 *
 * @param content parsed JSON
 * @param forms what `null` stands for
 * @returns at least one, exactly one of them primary
 * @throws ScraperError
 */
export function readCredentials(content: unknown, forms: 'one' | 'several'): readonly Credentials[] {
  const entries: readonly unknown[] = Array.isArray(content) ? content : content === null && forms === 'several' ? [] : [content];
  const read: Credentials[] = [];
  for (const entry of entries) {
    const one = readOne(entry);
    if (one.primary && read.some(({ primary }) => primary)) throw new ScraperError('can only have one primary connection');
    read.push(one);
  }
  const [first] = read;
  if (first === undefined) throw new ScraperError('you cannot define no connections');
  if (read.length === 1) return [{ ...first, primary: true }];
  if (read.every(({ primary }) => !primary)) {
    throw new ScraperError('when defineing multiple connections, one must be set as primary');
  }
  return read;
}

function readOne(entry: unknown): Credentials {
  if (entry !== null && !isObject(entry)) throw new ScraperError('credentials are expected to be an object');
  const fields = entry ?? {};
  const { primary = false } = fields;
  if (typeof primary !== 'boolean' && primary !== null) throw new ScraperError('primary is expected to be true or false');
  const [serverLocation, apiKeyId, apiKey] = ['server_location', 'api_key_id', 'api_key'].map((name) => {
    const value = Object.hasOwn(fields, name) ? (fields[name] ?? '') : '';
    if (typeof value !== 'string') throw new ScraperError(`${name} is expected to be a string`);
    return [name, value] as const;
  }) as [Field, Field, Field];
  for (const [name, value] of [serverLocation, apiKeyId, apiKey]) if (value === '') throw new ScraperError(`${name} cannot be empty`);
  checkLocation(serverLocation[1]);
  // It goes into a header field.
  if (/[^\x21-\x7e]/.test(apiKeyId[1])) throw new ScraperError('api_key_id is expected to be ASCII without spaces');
  return { serverLocation: serverLocation[1], apiKeyId: apiKeyId[1], apiKey: apiKey[1], primary: primary ?? false };
}

type Field = readonly [name: string, value: string];

/** Not shown where it may hold a password. */
function checkLocation(location: string): void {
  const url = /^https?:\/\/[^/]/i.test(location) && URL.canParse(location) ? new URL(location) : undefined;
  if (url === undefined) {
    throw new ScraperError('server_location is expected to begin with http:// or https:// and a host, such as http://localhost:4000');
  }
  if (url.username !== '' || url.password !== '' || /[?#\s]/.test(location)) {
    throw new ScraperError('server_location is expected to be without user name, password, query and fragment');
  }
}
