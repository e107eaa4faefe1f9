/**
 * Images read by a service that speaks the interface of Antigate.
 *
 * Asked past the archive: what is sent holds a key.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { CaptchaSolverAntigateCharacters as Characters, type CaptchaSolverAntigate } from '../proto/starbelly_pb.ts';

const LOOKS = 6;
const LOOK_MS = 5000;
const TIMEOUT_MS = 20_000;
const MAX_ANSWER_CHARS = 65_536;

const NUMERIC: Readonly<Record<Characters, number>> = {
  [Characters.ALPHANUMERIC]: 0,
  [Characters.NUMBERS_ONLY]: 1,
  [Characters.ALPHA_ONLY]: 2,
};

/** @param lookMs between two looks @returns undefined when there is none in time @throws Error that says what the service said */
export async function solveCaptcha(
  solver: CaptchaSolverAntigate,
  image: Buffer,
  signal: AbortSignal,
  lookMs = LOOK_MS,
): Promise<string | undefined> {
  const call = async (method: string, fields: object): Promise<Record<string, unknown>> => {
    const response = await fetch(new URL(method, solver.serviceUrl), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ clientKey: solver.apiKey, ...fields }),
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const said = JSON.parse((await response.text()).slice(0, MAX_ANSWER_CHARS)) as Record<string, unknown>;
    if (said.errorId !== 0) throw new Error(`the CAPTCHA solver answers ${JSON.stringify(said).slice(0, 300)}`);
    return said;
  };
  const task = {
    type: 'ImageToTextTask',
    body: image.toString('base64'),
    phrase: solver.requirePhrase,
    case: solver.caseSensitive,
    numeric: NUMERIC[solver.characters],
    math: solver.requireMath,
    minLength: solver.minLength,
    maxLength: solver.maxLength,
  };
  const { taskId } = await call('createTask', { task });
  for (let look = 0; look < LOOKS; look++) {
    await wait(lookMs, undefined, { signal });
    const { status, solution } = await call('getTaskResult', { taskId });
    const text = (solution as { readonly text?: unknown } | undefined)?.text;
    if (status === 'ready') return typeof text === 'string' ? text : undefined;
  }
  return undefined;
}
