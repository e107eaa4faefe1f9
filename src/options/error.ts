/**
 * The one error of a bad option value: names the option, the value and what was expected, in one line.
 *
 * Never holds or shows the value of a secret option, nor what stands before an `@` (credentials in a URL).
 */
import { secretsIn } from './row.ts';
import { PROXY_OPTIONS } from './table.ts';

const SHOWN_CHARACTERS = 120;

/** For whoever refuses a value later than its row does, without the row at hand. */
const SECRETS = new Set(secretsIn(PROXY_OPTIONS));

export interface OptionErrorDetails {
  /** where the option was given, as its user calls it: `--port`, `WARCTAP_PORT (--port)` … */
  readonly place?: string;
  /** whether the value is never shown; by the name of the option unless given */
  readonly secret?: boolean;
}

export class OptionError extends Error {
  override readonly name = 'OptionError';
  readonly code = 'WARCTAP_OPTION';
  /** name in code, such as `maxThreads` */
  readonly option: string;
  /** undefined for a secret */
  readonly value: unknown;
  /** ends the sentence "expected …" */
  readonly expected: string;
  readonly #secret: boolean;

  constructor(
    option: string,
    value: unknown,
    expected: string,
    { place = `option ${option}`, secret = SECRETS.has(option) }: OptionErrorDetails = {},
  ) {
    super(`${place}: expected ${expected}, got ${secret ? 'something else (not shown: secret)' : shown(value)}`);
    this.option = option;
    this.value = secret ? undefined : value;
    this.expected = expected;
    this.#secret = secret;
  }

  /** The same error, told with the place that the option came from. */
  at(place: string): OptionError {
    return new OptionError(this.option, this.value, this.expected, { place, secret: this.#secret });
  }
}

/** One line of limited length, whatever the value is. */
function shown(value: unknown): string {
  let text: string | undefined;
  try {
    text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  } catch {
    // A value that JSON cannot say (a bigint, a cycle) is shown as its type below.
  }
  text = (text ?? typeof value).replace(/[^"\s,[{]*@/g, '***@');
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
