/**
 * Commands that ask a crawl server and print what it says, as JSON (the mapping of Protocol Buffers, in which bytes are Base64).
 */
import { readFile } from 'node:fs/promises';
import type { CommandInit, CrawlClient } from '../../../crawl/client.ts';
import { REFUSED, type Kind } from '../../../options/kinds.ts';
import { resolve } from '../../../options/resolve.ts';
import type { OptionRows, Options, Resolved } from '../../../options/row.ts';
import { CRAWL_CLIENT_ROWS } from '../../../options/rows/crawl.ts';
import { reasonOf } from '../../../util/thrown.ts';
import { defineCommand, type CommandSpec } from '../../command.ts';
import { EXIT, UsageError } from '../../exit.ts';

export interface Asked<Own extends OptionRows> {
  readonly operands: readonly string[];
  readonly own: Options<Own>;
  readonly client: CrawlClient;
}

interface Asking<Own extends OptionRows> {
  readonly name: string;
  readonly summary: string;
  readonly operands?: NonNullable<CommandSpec['operands']>;
  /** operands that it takes: from, to */
  readonly takes?: readonly [least: number, most: number];
  readonly own?: Own;
  readonly notes?: string;
  readonly run: (asked: Asked<Own>) => Promise<void>;
}

/** @throws UsageError by its action for operands that it does not take */
export function asking<const Own extends OptionRows = OptionRows>({
  run,
  takes: [least, most] = [0, 0],
  ...spec
}: Asking<Own>): CommandSpec {
  return defineCommand<Own, typeof CRAWL_CLIENT_ROWS>({
    ...spec,
    settings: CRAWL_CLIENT_ROWS,
    shown: ['url', 'username', 'password', 'config'],
    exits: { ok: 'done', failed: 'the server cannot be reached, or refuses', usage: EXIT.usage.meaning },
    async run({ operands, own, settings }) {
      if (operands.length < least || operands.length > most)
        throw new UsageError(`crawl ${spec.name}: expected ${spec.operands?.summary ?? 'no arguments'}, see crawl ${spec.name} --help`);
      await using client = await connected(resolve(CRAWL_CLIENT_ROWS, (await settings()).given));
      await run({ operands, own, client });
      return EXIT.ok.code;
    },
  });
}

/** A function of its own: where something is `using`, the compiler leaves the names of imports as they are. */
async function connected({ url, username, password = '' }: Resolved<typeof CRAWL_CLIENT_ROWS>): Promise<CrawlClient> {
  const { CrawlClient: Client } = await import('../../../crawl/client.ts');
  return Client.connect({ url, username, password });
}

/** One command, whose answer is printed. */
export async function answer(client: CrawlClient, command: CommandInit): Promise<void> {
  const { ResponseSchema } = await import('../../../crawl/proto/starbelly_pb.ts');
  const body = await client.command(command);
  const schema = body.case === undefined ? undefined : ResponseSchema.field[body.case].message;
  if (schema === undefined || body.value === undefined) return print('{}\n');
  const { toJson } = await import('@bufbuild/protobuf');
  await print(`${JSON.stringify(toJson(schema, body.value), null, 2)}\n`);
}

export function print(text: string): Promise<void> {
  return new Promise((done) => process.stdout.write(text, () => done()));
}

/** 16 bytes: hexadecimal digits, with dashes or without, or Base64. @throws UsageError */
export function idIn(text: string | undefined, what = 'an identifier'): Uint8Array {
  const id = text === undefined ? undefined : readId(text);
  if (id === undefined)
    throw new UsageError(`expected ${what} as 32 hexadecimal digits, a UUID or Base64, got ${JSON.stringify(text ?? '')}`);
  return id;
}

export const ID: Kind<Uint8Array> = {
  expected: 'an identifier as 32 hexadecimal digits, a UUID or Base64',
  shape: 'value',
  read: (input) => (typeof input === 'string' ? readId(input) : undefined) ?? REFUSED,
};

/** `1` or `0`, as the published client has it. */
export const ONE_OR_ZERO: Kind<boolean> = {
  expected: '1 or 0 (also true and false)',
  shape: 'value',
  suggest: ['0', '1'],
  read: (input) =>
    input === '1' || input === 'true' || input === true ? true : input === '0' || input === 'false' || input === false ? false : REFUSED,
};

/** A number that may have decimals. */
export const NUMBER: Kind<number> = {
  expected: 'a number, at least 0',
  shape: 'value',
  read: (input) => {
    const value = typeof input === 'string' && /^\d+(\.\d+)?$/.test(input) ? Number(input) : input;
    return typeof value === 'number' && value >= 0 && value < Infinity ? value : REFUSED;
  },
};

function readId(text: string): Uint8Array | undefined {
  const digits = text.replace(/^([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$/i, '$1$2$3$4$5');
  if (/^[0-9a-f]{32}$/i.test(digits)) return Buffer.from(digits, 'hex');
  return /^[A-Za-z0-9+/_-]{22}(?:==)?$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

/** The text of a file, or of standard input for `-`. @throws UsageError */
export async function textOf(file: string): Promise<string> {
  try {
    if (file !== '-') return await readFile(file, 'utf8');
    const pieces: Buffer[] = [];
    for await (const piece of process.stdin) pieces.push(piece as Buffer);
    return Buffer.concat(pieces).toString();
  } catch (error) {
    throw new UsageError(`expected a file that can be read, got ${JSON.stringify(file)} (${reasonOf(error)})`, { cause: error });
  }
}
