/** `docs/messages.md`, made from the registry and from the texts in the sources. */
import prettier from 'prettier';
import { ANSWERS, FETCH_ERRORS, MESSAGE_ERRORS, META_ERRORS } from '../../src/messages/answers.ts';
import { ENDS } from '../../src/messages/ends.ts';
import { LOG_LINES } from '../../src/messages/log-lines.ts';
import type { AnswerRow, MessageRow } from '../../src/messages/row.ts';
import type { Said, Sources } from './said.ts';

/** How each class of errors is constructed: where its code and its text stand, and what stands around the text. */
interface ErrorForm {
  readonly rows: Readonly<Record<string, MessageRow>>;
  /** the argument that is the code, or the one code of all */
  readonly code: number | string;
  /** the argument that is the text; none where the texts stand elsewhere, and then in `says` */
  readonly text?: number;
  readonly told?: (text: string) => string;
}

export const ERROR_FORMS: Readonly<Record<string, ErrorForm>> = {
  OptionError: { rows: ENDS, code: 'WARCTAP_OPTION', text: 2, told: (text) => `…: expected ${text}, got …` },
  AuthFileError: { rows: ENDS, code: 'WARCTAP_OPTION', text: 0, told: (text) => `…: expected ${text}, got …` },
  PluginError: { rows: ENDS, code: 'WARCTAP_OPTION', text: 1, told: (text) => `--plugin: expected ${text}, got …` },
  UsageError: { rows: ENDS, code: 'WARCTAP_USAGE', text: 0 },
  CaError: { rows: ENDS, code: 0, text: 1 },
  OpenFilesError: { rows: ENDS, code: 'OPEN_FILES', text: 0 },
  NoBrowserError: { rows: ENDS, code: 'NO_BROWSER', text: 0 },
  WarcOptionError: { rows: ENDS, code: 'WARC_OPTION', text: 0 },
  WarcWriteError: { rows: ENDS, code: 'WARC_WRITE', text: 1, told: (text) => `…: ${text}: …` },
  DatabaseError: { rows: ENDS, code: 0, text: 2, told: (text) => `database … ${text}` },
  StoreError: { rows: ENDS, code: 0, text: 2, told: (text) => `store … ${text}` },
  KeyFileError: { rows: ENDS, code: 'AUTH_KEY_FILE', text: 0, told: (text) => `…${text}` },
  ModuleError: { rows: ENDS, code: 'WARCTAP_TRANSFORMATIONS', text: 0 },
  SocketError: { rows: ENDS, code: 'WARCTAP_SOCKET', text: 0 },
  QueueStoreError: { rows: ENDS, code: 'QUEUE_STORE', text: 0 },
  CrawlStoreError: { rows: ENDS, code: 'CRAWL_STORE', text: 0 },
  ManagerAwayError: { rows: ENDS, code: 'QUEUE_MANAGER_AWAY', text: 0 },
  ManagerRefusalError: { rows: ENDS, code: 'QUEUE_MANAGER_REFUSES' },
  ListenError: { rows: ENDS, code: 'EADDRINUSE' },
  FetchError: { rows: FETCH_ERRORS, code: 0, text: 1 },
  MessageError: { rows: MESSAGE_ERRORS, code: 0, text: 1 },
  MetaError: { rows: META_ERRORS, code: 0, text: 2, told: (text) => `Warcprox-Meta: …: ${text}, got …` },
  RegexError: { rows: META_ERRORS, code: 'regex', text: 0, told: (text) => `Warcprox-Meta: …: ${text}, got …` },
};

/** Texts of a code, in their order in the sources and each once. */
export function textsWith(said: readonly Said[], rows: ErrorForm['rows'], code: string): readonly string[] {
  const texts = said.flatMap(({ by, args }) => {
    const form = Object.hasOwn(ERROR_FORMS, by) ? ERROR_FORMS[by] : undefined;
    if (form?.rows !== rows) return [];
    const codes = typeof form.code === 'string' ? [form.code] : (args[form.code] ?? []);
    if (!codes.includes(code) || form.text === undefined) return [];
    return (args[form.text] ?? []).map(form.told ?? ((text) => text));
  });
  return [...new Set([...(rows[code]?.says ?? []), ...texts])];
}

export async function messagesDoc({ said }: Sources): Promise<string> {
  const codes = (rows: ErrorForm['rows']) => Object.entries(rows).map(([code, row]) => section(code, row, textsWith(said, rows, code)));
  const parts = [
    `# Messages

What the program says when something is wrong: why it appears, and what to do. \`…\` stands for what differs from time to time: names, values, the system's reason. Look for the other words.

This page is made from \`src/messages\` and the sources; \`test/messages.test.ts\` keeps it in step with the program.

## What ends a command, or keeps the proxy from starting

One line on standard error, behind \`warctap: \`, with exit code 2 for \`WARCTAP_OPTION\` and \`WARCTAP_USAGE\` and 1 for the others, but 3 for \`WARC_WRITE\`, and 4 for \`DATABASE_FAILING\` and \`DATABASE_BEHIND\` when the proxy ends. A program that embeds the proxy gets an error with this \`code\`. What has no code is the system's own reason, or a fault of warctap.`,
    ...codes(ENDS),
    '## What clients are answered: no answer of the origin\n\nOne line of plain text. The code is that of the error, which plugins, the event `capture` and `core.fetch` see.',
    ...codes(FETCH_ERRORS),
    '## What clients are answered: the request is not understood',
    ...codes(MESSAGE_ERRORS),
    '## What clients are answered: Warcprox-Meta is not understood',
    ...codes(META_ERRORS),
    '## What clients are answered: other lines',
    table(['line', 'status', 'when', 'what to do'], Object.entries<AnswerRow>(ANSWERS), ({ status, when, fix }) => [
      String(status),
      when,
      fix,
    ]),
    '## Warnings and errors of the log',
    table(['line', 'when', 'what to do'], Object.entries<MessageRow>(LOG_LINES), ({ when, fix }) => [when, fix]),
  ];
  return prettier.format(parts.join('\n\n'), { parser: 'markdown', printWidth: 140, proseWrap: 'preserve' });
}

function section(code: string, row: MessageRow | AnswerRow, texts: readonly string[]): string {
  const status = 'status' in row ? ` (${row.status})` : '';
  const lines = texts.map((text) => `- ${asCode(text)}`).join('\n');
  return `### ${code}${status}\n\nWhen ${row.when}. What to do: ${row.fix}.\n\n${lines}`;
}

function table<Row>(head: readonly string[], rows: readonly (readonly [string, Row])[], cells: (row: Row) => readonly string[]): string {
  const line = (row: readonly string[]) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(([text, row]) => line([asCode(text), ...cells(row)]))].join('\n');
}

const asCode = (text: string): string => (text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``);
