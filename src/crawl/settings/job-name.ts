/**
 * Names of scheduled jobs, made from a template: `{COUNT}`, `{DATE}` and `{TIME}` stand for values, and there are no other braces.
 */
import { Failure } from '../failure.ts';

const VARIABLE = /\{([^{}]*)\}/g;
const KNOWN = new Set(['COUNT', 'DATE', 'TIME']);

/** @throws Failure */
export function checkTemplate(template: string): void {
  if ([...template.matchAll(VARIABLE)].some(([, name = '']) => !KNOWN.has(name)))
    throw new Failure('Invalid variable in job name: COUNT, DATE, & TIME are allowed.');
  if (/[{}]/.test(template.replace(VARIABLE, ''))) throw new Failure('Invalid job name');
}

/** @param dueMs when the job was to start, in milliseconds since 1970 */
export function jobNameOf(template: string, count: number, dueMs: number): string {
  const values: Record<string, string> = {
    COUNT: String(count),
    TIME: String(Math.floor(dueMs / 1000)),
    DATE: new Date(dueMs).toISOString().slice(0, 19),
  };
  return template.replace(VARIABLE, (written, name: string) => values[name] ?? written);
}
