/**
 * `warctap repair`: a line for each WARC file, with what was done to it.
 */
import { loadLock } from '../warc/write/output.ts';
import { repair } from '../warc/tools/repair.ts';
import { EXIT, oneLine } from './exit.ts';

/** @returns the exit code */
export async function repairFiles(files: readonly string[], print: (text: string) => void): Promise<number> {
  const lock = loadLock();
  let allWhole = true;
  for (const file of files) {
    try {
      const { ok, told } = await repair(file, lock);
      allWhole &&= ok;
      print(`${file}: ${told}\n`);
    } catch (error) {
      allWhole = false;
      print(`${file}: not repaired: ${oneLine(error)}\n`);
    }
  }
  return allWhole ? EXIT.ok.code : EXIT.notStarted.code;
}
