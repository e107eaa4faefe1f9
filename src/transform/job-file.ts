/**
 * `job.json`, and the list of transformations in it: the one place where the JSON of clients is looked at.
 *
 * Source: spec/circe.md §2.2; RFC 8259 (JSON, in UTF-8 and without a byte order mark).
 */
import { reasonOf } from '../util/thrown.ts';
import { badArchive, type Refusal } from './errors.ts';

export interface Step {
  readonly name: string;
  /** `{}` where the client has sent none */
  readonly options: Readonly<Record<string, unknown>>;
}

export interface JobFile {
  readonly transformations: readonly Step[];
  /** as it came; whether it can be called is for whoever calls it */
  readonly notifyHook: string | undefined;
}

export const JOB_FILE = 'job.json';
export const MAX_JSON_BYTES = 1024 * 1024;

/** @throws Refusal */
export function parseJobFile(bytes: Buffer): JobFile {
  const job = parseJson(bytes, JOB_FILE);
  if (!isObject(job)) throw badArchive(`${JOB_FILE}: expected an object, got ${kindOf(job)}`);
  const { notify_hook: hook } = job;
  return {
    transformations: stepsIn(job.transformations, `${JOB_FILE}: transformations`),
    notifyHook: typeof hook === 'string' ? hook : undefined,
  };
}

/** A list of transformations as the web page sends it. @throws Refusal */
export function parseSteps(bytes: Buffer): readonly Step[] {
  return stepsIn(parseJson(bytes, 'transformations'), 'transformations');
}

/** With both keys, as clients have always written it. */
export function jobFileText({ transformations, notifyHook }: JobFile): string {
  return JSON.stringify({ transformations, notify_hook: notifyHook ?? null }, null, 4);
}

function stepsIn(list: unknown, where: string): readonly Step[] {
  if (!Array.isArray(list)) throw badArchive(`${where}: expected an array of {"name": …, "options": …}, got ${kindOf(list)}`);
  return list.map((entry: unknown, index) => {
    const at = `${where}[${index}]`;
    if (!isObject(entry)) throw badArchive(`${at}: expected an object with a name, got ${kindOf(entry)}`);
    const { name, options } = entry;
    if (typeof name !== 'string' || name === '') throw badArchive(`${at}.name: expected the name of a transformation, got ${kindOf(name)}`);
    if (options !== undefined && options !== null && !isObject(options))
      throw badArchive(`${at}.options: expected an object, or nothing, got ${kindOf(options)}`);
    return { name, options: options ?? {} };
  });
}

function parseJson(bytes: Buffer, what: string): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw badArchive(`${what}: expected UTF-8`, error);
  }
  if (text.startsWith('\uFEFF')) throw badArchive(`${what}: expected JSON without a byte order mark`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw notJson(what, error);
  }
}

function notJson(what: string, error: unknown): Refusal {
  return badArchive(`${what}: expected JSON (${reasonOf(error)})`, error);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (value === '') return 'an empty text';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
