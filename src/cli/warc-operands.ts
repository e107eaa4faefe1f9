/**
 * What is named to a command for WARC files: files, and folders with all that are in them and below, in the order of their paths.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecordPlace } from '../warc/tools/print.ts';
import { UsageError } from './exit.ts';

/** `.warc.gz.open` and so on. */
const WARC_FILE = /\.warc(?:\.\w+)*$/;

/** @throws UsageError when nothing is named, or a folder holds no WARC file */
export async function warcFiles(command: string, operands: readonly string[]): Promise<readonly string[]> {
  if (operands.length === 0) throw new UsageError(`${command}: expected at least one file or folder, see ${command} --help`);
  return (await Promise.all(operands.map((operand) => filesAt(command, operand)))).flat();
}

/** As `warcFiles`, and `FILE:OFFSET` for a single record. */
export async function warcPlaces(command: string, operands: readonly string[]): Promise<readonly RecordPlace[]> {
  const places = operands.map(async (operand): Promise<readonly RecordPlace[]> => {
    const [, file, offset] = /^(.+):(\d{1,15})$/.exec(operand) ?? [];
    const isFile = await stat(operand).then(
      () => true,
      () => false,
    );
    if (file !== undefined && !isFile) return [{ file, offset: Number(offset) }];
    return (await filesAt(command, operand)).map((each) => ({ file: each, offset: undefined }));
  });
  if (operands.length === 0) await warcFiles(command, operands);
  return (await Promise.all(places)).flat();
}

async function filesAt(command: string, path: string): Promise<readonly string[]> {
  // What is not there is said by whoever opens it.
  const isFolder = await stat(path).then(
    (there) => there.isDirectory(),
    () => false,
  );
  if (!isFolder) return [path];
  const names = await readdir(path, { recursive: true, withFileTypes: true });
  const files = names
    .filter((entry) => !entry.isDirectory() && WARC_FILE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  if (files.length === 0)
    throw new UsageError(`${command}: expected WARC files (*.warc, *.warc.gz …) in ${JSON.stringify(path)}, there are none`);
  return files.sort();
}
