/**
 * Entry point of the process: runs the program and exits with its code. Imported for its effect, by `bin/warctap.js`.
 */
import { main } from './program.ts';

for (const stream of [process.stdout, process.stderr]) {
  // Whoever read our output has gone: no reason to stop archiving.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

process.exit(await main(process.argv.slice(2)));
