/** What a caller of the queue did wrong, in one line, with the status of the answer. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, line: string, headers: Readonly<Record<string, string>> = {}) {
    super(line);
    this.status = status;
    this.headers = headers;
  }
}

/** A request that cannot be understood. */
export function bad(line: string): Refusal {
  return new Refusal(400, line);
}
