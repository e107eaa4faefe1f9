/**
 * `warctap queue add`, `list`, `stats`, `keys`: what an administrator asks of a manager that runs.
 *
 * Each is a call of its API; what the manager refuses is told in its words.
 */
import { Readable } from 'node:stream';
import { onOff, REFUSED, wholeNumber, type Kind } from '../../../options/kinds.ts';
import { resolve } from '../../../options/resolve.ts';
import { group } from '../../../options/row.ts';
import { ADMIN_KEY_ROWS, QUEUE_CLIENT_ROWS } from '../../../options/rows/queue.ts';
import type { CallManager } from '../../../queue/worker/manager.ts';
import { defineCommand, type Call, type CommandFamily } from '../../command.ts';
import { EXIT, UsageError, type Exits } from '../../exit.ts';
import { adminKeyOf } from './admin-key.ts';
import { linesOf } from './lines.ts';

const SETTINGS = { ...QUEUE_CLIENT_ROWS, ...ADMIN_KEY_ROWS };
const SHARED = {
  settings: SETTINGS,
  shown: ['manager', 'adminKeyFile', 'config'],
  exits: {
    ok: 'done',
    failed: 'the manager cannot be reached, or refuses',
    usage: 'bad option or argument, or no key of the administrator',
  },
} as const satisfies { readonly exits: Exits } & Record<string, unknown>;

async function managerOf(settings: Call<never, typeof SETTINGS>['settings']): Promise<CallManager> {
  const { given } = await settings();
  const adminKey = await adminKeyOf(given);
  const { managerAt } = await import('../../../queue/worker/manager.ts');
  return managerAt(resolve(SETTINGS, given).manager, adminKey);
}

const print = (text: string) => new Promise<void>((done) => process.stdout.write(text, () => done()));

const PRIORITY: Kind<number> = {
  expected: 'a whole number from -100 to 100',
  shape: 'value',
  read(input) {
    const value = typeof input === 'string' && /^-?\d{1,3}$/.test(input) ? Number(input) : input;
    return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 100 ? value : REFUSED;
  },
};

const add = defineCommand({
  ...SHARED,
  name: 'add',
  summary: 'Add URLs to the queue.',
  operands: { name: '[URL...]', summary: 'URLs, files with one URL a line, or - for standard input' },
  own: group('Options', {
    priority: { argument: 'N', kind: PRIORITY, default: 0, summary: 'from -100 to 100: those of a higher one go first' },
  }),
  notes: `What begins with http:// or https:// is a URL, everything else the name of a
file. What was visited, or given up, is due at once. Prints how many were new
and how many known; the same may be added again.`,

  async run({ operands, own: { priority = 0 }, settings }) {
    if (operands.length === 0)
      throw new UsageError('queue add: expected URLs, names of files, or - for standard input, see queue add --help');
    const call = await managerOf(settings);
    const urls = operands.filter(isUrl);
    const sources: AsyncIterable<string>[] = operands.filter((each) => !isUrl(each)).map((name) => linesOf(name));
    if (urls.length > 0) sources.unshift(Readable.from(urls));
    let failed = false;
    for (const source of sources) {
      const body = Readable.toWeb(Readable.from(asJsonLines(source, priority))) as ReadableStream<Uint8Array>;
      const headers = { 'Content-Type': 'application/x-ndjson' };
      const { jsonOf } = await import('../../../queue/worker/manager.ts');
      const said = (await jsonOf(await call('/temp-new-links', { method: 'POST', headers, body, patient: true }))) as Added;
      const more = said['more-rejected'] ?? 0;
      await print(`${said.added} added, ${said.known} known, ${said.rejected.length + more} rejected\n`);
      for (const text of said.rejected) process.stderr.write(`warctap: no http or https URL: ${JSON.stringify(text)}\n`);
      failed ||= said.rejected.length > 0;
    }
    return failed ? EXIT.failed.code : EXIT.ok.code;
  },
});

interface Added {
  readonly added: number;
  readonly known: number;
  readonly rejected: readonly string[];
  readonly 'more-rejected'?: number;
}

function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

async function* asJsonLines(lines: AsyncIterable<string>, priority: number): AsyncGenerator<Buffer, void> {
  for await (const url of lines) yield Buffer.from(`${JSON.stringify(priority === 0 ? { url } : { url, priority })}\n`);
}

const list = defineCommand({
  ...SHARED,
  name: 'list',
  summary: 'Print the URLs that wait for their first report, oldest first, one a line.',
  own: group('Options', {
    limit: { argument: 'N', kind: wholeNumber(1, 1_000_000), default: 10_000, summary: 'print at most so many' },
    active: { kind: onOff, default: false, summary: 'print those that are handed out, with worker and end of lease' },
  }),

  async run({ own: { limit = 10_000, active = false }, settings }) {
    const call = await managerOf(settings);
    const { jsonOf } = await import('../../../queue/worker/manager.ts');
    const items = (await jsonOf(await call(active ? '/active' : `/temp-new-links?limit=${limit}`, { patient: true }))) as Record<
      string,
      string
    >[];
    const line = ({ url = '', worker = '', 'lease-ends': ends = '' }: Record<string, string>) =>
      active ? `${url}\t${worker}\t${ends}\n` : `${url}\n`;
    await print(items.slice(0, limit).map(line).join(''));
    return EXIT.ok.code;
  },
});

const stats = defineCommand({
  ...SHARED,
  name: 'stats',
  summary: 'Print what is in the queue, and what the workers have done.',
  own: group('Options', { json: { kind: onOff, default: false, summary: 'print what the manager says, as JSON' } }),

  async run({ own: { json = false }, settings }) {
    const call = await managerOf(settings);
    const { jsonOf } = await import('../../../queue/worker/manager.ts');
    const overview = (await jsonOf(await call('/overview'))) as Overview;
    if (json) {
      await print(`${JSON.stringify(overview, null, 2)}\n`);
      return EXIT.ok.code;
    }
    const counts = Object.entries(overview.counts).map(([name, count]) => `${count} ${name}`);
    const rows = overview.workers.map(({ name, control, reports, sites, 'last-seen': seen }) => [
      name,
      control,
      String(reports),
      String(sites),
      seen ?? 'never',
    ]);
    await print(`${counts.join(', ')}\n\n${table(['worker', 'control', 'reports', 'sites', 'last seen (UTC)'], rows)}`);
    return EXIT.ok.code;
  },
});

interface Overview {
  readonly counts: Readonly<Record<string, number>>;
  readonly workers: readonly {
    readonly name: string;
    readonly control: string;
    readonly reports: number;
    readonly sites: number;
    readonly 'last-seen': string | null;
  }[];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

const KEY_OPERAND = { name: '[KEY]', summary: 'the key, or - to read it from standard input' } as const;

async function keyIn(operands: readonly string[], command: string): Promise<string> {
  const [text, ...more] = operands;
  if (text === undefined || more.length > 0)
    throw new UsageError(`${command}: expected one key, or - for a line of standard input, see ${command} --help`);
  if (text !== '-') return text;
  for await (const line of linesOf('-')) return line;
  throw new UsageError(`${command}: expected a line with a key on standard input`);
}

const keys: CommandFamily = {
  name: 'keys',
  summary: 'Keys of workers: "keys add", "keys remove", "keys list".',
  commands: [
    defineCommand({
      ...SHARED,
      name: 'add',
      summary: 'Let a worker with this key in. What stands before its first colon is its name.',
      operands: KEY_OPERAND,
      async run({ operands, settings }) {
        const key = await keyIn(operands, 'queue keys add');
        const { status } = await (await managerOf(settings))('/api-keys', { method: 'POST', body: key });
        await print(status === 201 ? 'added\n' : 'known already\n');
        return EXIT.ok.code;
      },
    }),
    defineCommand({
      ...SHARED,
      name: 'remove',
      summary: 'Keep a worker out, and give what it has to others.',
      operands: { ...KEY_OPERAND, summary: 'the key or its name, or - to read it from standard input' },
      async run({ operands, settings }) {
        const key = await keyIn(operands, 'queue keys remove');
        await (
          await managerOf(settings)
        )(`/api-keys/${encodeURIComponent(key)}`, { method: 'DELETE' });
        await print('removed\n');
        return EXIT.ok.code;
      },
    }),
    defineCommand({
      ...SHARED,
      name: 'list',
      summary: 'Print the names of the workers, when they were let in, and when they were last seen.',
      async run({ settings }) {
        const call = await managerOf(settings);
        const { jsonOf } = await import('../../../queue/worker/manager.ts');
        const known = (await jsonOf(await call('/api-keys'))) as { name: string; created: string; 'last-seen': string | null }[];
        await print(
          table(
            ['name', 'created (UTC)', 'last seen (UTC)'],
            known.map(({ name, created, 'last-seen': seen }) => [name, created, seen ?? 'never']),
          ),
        );
        return EXIT.ok.code;
      },
    }),
  ],
};

export const administer = [add, list, stats, keys] as const;
