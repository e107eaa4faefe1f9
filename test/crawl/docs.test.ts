/** docs/crawl.md: its tables are those of the code, and it names every command. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crawl } from '../../src/cli/commands/crawl.ts';
import { nameOf, type CommandName } from '../../src/crawl/api/envelope.ts';
import { RequestSchema } from '../../src/crawl/proto/starbelly_pb.ts';
import { optionsTable } from '../../src/options/markdown.ts';
import { CRAWL_ROWS } from '../../src/options/rows/crawl.ts';
import { read } from '../support/docs.ts';

const text = read('docs/crawl.md');

test('the table of options is that of the code', () => {
  const table = optionsTable(CRAWL_ROWS);
  assert.ok(text.includes(table), `the table must be:\n\n${table}`);
});

test('every command is there, of the shell and of the wire', () => {
  for (const { name } of crawl.commands) assert.match(text, new RegExp(`\`(warctap crawl )?${name}\``), name);
  const commands = RequestSchema.oneofs[0]!.fields.map(({ localName }) => nameOf(localName as CommandName));
  assert.ok(commands.length > 30);
  for (const name of commands) assert.match(text, new RegExp(`\`${name}\``), name);
});
