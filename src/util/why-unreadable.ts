/** Why a file cannot be read, in the words of whoever named it. */
import { codeOf, reasonOf } from './thrown.ts';

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a folder above it is a file',
  EISDIR: 'it is a folder, not a file',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
};

/** In words that follow the name of the file and a colon; other errors say themselves what they are. */
export function whyUnreadable(error: unknown): string {
  return WHY[codeOf(error) ?? ''] ?? reasonOf(error);
}
