/**
 * A password from the terminal, without echo and twice; or from a pipe, its first line.
 */
import type { Readable, Writable } from 'node:stream';
import { UsageError } from './exit.ts';

/** What a terminal has and a pipe has not. */
export interface PasswordInput {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
}

/** Nobody types more, and the proxy takes no longer credentials. */
const MAX_CHARACTERS = 1000;
const CTRL_C = '\x03';
const CTRL_D = '\x04';
const CTRL_U = '\x15';

/** @throws UsageError when there is none, or the two differ */
export async function readPassword(input: Readable & PasswordInput, prompt: Writable, user: string): Promise<string> {
  input.setEncoding('utf8');
  const password = input.isTTY === true ? await askTwice(input, prompt, user) : await firstLine(input);
  if (password === '') throw new UsageError('passwd: expected a password, got an empty one');
  if (password.length > MAX_CHARACTERS) throw new UsageError(`passwd: expected a password of at most ${MAX_CHARACTERS} characters`);
  return password;
}

async function askTwice(input: Readable & PasswordInput, prompt: Writable, user: string): Promise<string> {
  const typed = characters(input);
  input.setRawMode?.(true);
  try {
    const first = await ask(typed, prompt, `Password of ${user}: `);
    if (first !== '' && first !== (await ask(typed, prompt, 'The same again: '))) {
      throw new UsageError('passwd: the two passwords are not the same');
    }
    return first;
  } finally {
    input.setRawMode?.(false);
    await typed.return(undefined);
  }
}

/** One line, with the keys that a terminal would see to itself. */
async function ask(typed: AsyncIterator<string, void>, prompt: Writable, question: string): Promise<string> {
  prompt.write(question);
  let line: string[] = [];
  try {
    for (;;) {
      const next = await typed.next();
      const key = next.done === true ? CTRL_D : next.value;
      if (key === CTRL_C) throw new UsageError('passwd: no password was given');
      if (key === '\r' || key === '\n' || key === CTRL_D) return line.join('');
      if (key === '\x7f' || key === '\b') line.pop();
      else if (key === CTRL_U) line = [];
      else line.push(key);
    }
  } finally {
    prompt.write('\n');
  }
}

async function* characters(input: Readable): AsyncGenerator<string, void, undefined> {
  for await (const piece of input as AsyncIterable<string>) yield* piece;
}

async function firstLine(input: Readable): Promise<string> {
  let text = '';
  for await (const piece of input as AsyncIterable<string>) {
    text += piece;
    if (text.includes('\n') || text.length > MAX_CHARACTERS + 2) break;
  }
  return text.split(/\r?\n/, 1)[0] ?? '';
}
