/**
 * `warctap convert`: WARC files packed, or unpacked, beside the old ones.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { anyText, oneOf, onOff, path } from '../../options/kinds.ts';
import { resolve } from '../../options/resolve.ts';
import { group } from '../../options/row.ts';
import { makeWritable } from '../../util/folder.ts';
import { reasonOf } from '../../util/thrown.ts';
import type { Dictionary } from '../../warc/codec/zstd/dictionary.ts';
import { defineCommand } from '../command.ts';
import { EXIT, UsageError } from '../exit.ts';
import { warcFiles } from '../warc-operands.ts';

const ROWS = group('Options', {
  to: {
    argument: 'HOW',
    kind: oneOf('gzip', 'plain', 'zstd'),
    defaultText: 'none',
    summary: 'how records are written: gzip or zstd, each record by itself, or plain',
  },
  dictionary: {
    argument: 'FILE|train',
    kind: anyText,
    defaultText: 'none',
    summary: 'of zstd: what records have in common, from a file of "zstd --train", or made of the first of these records',
  },
  dirTo: {
    argument: 'DIR',
    kind: path,
    defaultText: 'none',
    summary: 'where the new files go, made if there is none; beside the old ones without it',
  },
  force: { short: 'f', kind: onOff, default: false, summary: 'replace a file that is there' },
});

export const convert = defineCommand({
  name: 'convert',
  summary: 'Write WARC files anew, packed in another way, with each byte of each record as it is.',
  operands: { name: '[FILE|DIR...]', summary: 'WARC files of any tool, or folders of them' },
  own: ROWS,
  notes: `A file gets its name when it is whole: NAME.warc.gz, .warc, .warc.zst. The old ones
stay. What cannot be read is told and left out.`,
  exits: { ok: 'all was written', failed: 'a file could not be read to its end, or written', usage: 'bad option or argument' },

  async run({ operands, own }) {
    const { to, dictionary, dirTo, force } = resolve(ROWS, own);
    if (to === undefined) throw new UsageError('convert: expected --to gzip, --to plain or --to zstd');
    if (dictionary !== undefined && to !== 'zstd') throw new UsageError('convert: --dictionary is for --to zstd');
    const files = await warcFiles('convert', operands);
    const [{ overFiles }, { convertFile }, { createEncoder }] = await Promise.all([
      import('../over-files.ts'),
      import('../../warc/tools/convert.ts'),
      import('../../warc/codec/encoders.ts'),
    ]);
    if (dirTo !== undefined)
      await makeWritable(dirTo).catch((error: unknown) => {
        throw new UsageError(`convert: --dir-to ${JSON.stringify(dirTo)}: ${reasonOf(error)}`);
      });
    const shared = dictionary === undefined ? undefined : await dictionaryFrom(dictionary, files);
    const encoder = createEncoder(to === 'plain' ? 'none' : to, shared);
    let code: number = EXIT.ok.code;
    try {
      for (const file of files) {
        const name = `${basename(file).replace(/\.warc(?:\.\w+)*$/, '')}${encoder.suffix}`;
        const output = join(dirTo ?? dirname(file), name);
        const ended = await overFiles([file], { output, force }, async ({ write, fault, at }) => {
          const records = await convertFile(file, {
            encoder,
            write: async (pieces) => {
              if (pieces.length > 0) await write(Buffer.concat(pieces));
            },
            onFault: fault,
            onRecord: (offset) => at(file, offset),
          });
          if (records === 0) throw new UsageError(`convert: ${file} holds no record that can be read`);
          process.stdout.write(`${output}: ${records} records\n`);
        });
        code = Math.max(code, ended);
      }
    } finally {
      await encoder.close();
    }
    return code;
  },
});

async function dictionaryFrom(named: string, files: readonly string[]): Promise<Dictionary> {
  const [{ dictionaryOf, MAX_DICTIONARY_BYTES }, { MIN_SAMPLES, train }, { samplesOf }] = await Promise.all([
    import('../../warc/codec/zstd/dictionary.ts'),
    import('../../warc/codec/zstd/train.ts'),
    import('../../warc/tools/samples.ts'),
  ]);
  if (named === 'train') {
    const samples = await samplesOf(files);
    if (samples.length >= MIN_SAMPLES) return train(samples);
    throw new UsageError(
      `convert: --dictionary train: expected at least ${MIN_SAMPLES} records to make it of, there are ${samples.length}`,
    );
  }
  const refused = (reason: string) => new UsageError(`convert: --dictionary ${JSON.stringify(named)}: ${reason}`);
  const there = await stat(named).catch((error: unknown) => {
    throw refused(reasonOf(error));
  });
  if (there.size > MAX_DICTIONARY_BYTES) throw refused(`expected at most ${MAX_DICTIONARY_BYTES} bytes, it has ${there.size}`);
  try {
    return dictionaryOf(await readFile(named));
  } catch (error) {
    throw refused(reasonOf(error));
  }
}
