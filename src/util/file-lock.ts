/**
 * Exclusive fcntl locks of open files (F_OFD_SETLK): they belong to the open file, go when it is closed, and with the process that has it.
 *
 * Whoever holds a file's lock is alive. No lease has to be renewed, and none is left by a process that was killed.
 */
import { createRequire } from 'node:module';

/** An exclusive lock on the whole file until it is closed; false when another holds one. The file has to be open for writing. */
export type FileLock = (fd: number) => boolean;

/** @throws where the native add-on cannot be loaded on this machine */
export function loadFileLock(): FileLock {
  const native = createRequire(import.meta.url)('fs-native-extensions') as { tryLock(fd: number): boolean };
  return (fd) => native.tryLock(fd);
}
