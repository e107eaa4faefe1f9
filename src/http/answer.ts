/**
 * Answers that the proxy gives itself, in no version's form.
 */
export interface Answer {
  readonly status: number;
  /** instead of the registered one */
  readonly reason?: string;
  readonly fields?: readonly (readonly [name: string, value: string])[];
  readonly contentType: string;
  readonly body: string;
}

/** A one-line reason as plain text. */
export function plainAnswer(status: number, line: string): Answer {
  return { status, contentType: 'text/plain;charset=utf-8', body: `${line}\n` };
}
