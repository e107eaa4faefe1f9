/**
 * Entry point of the process: runs the program and exits with its code. Imported for its effect, by `bin/warctap.js`.
 */
import { EXIT } from './exit.ts';
import { main } from './program.ts';

for (const stream of [process.stdout, process.stderr]) {
  // Whoever read our output has gone: no reason to stop archiving.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

// What is waited for has been lost: without this Node ends as if all had been done.
process.on('beforeExit', () => {
  process.stderr.write('warctap: a fault in warctap: what it waits for can never come, exiting\n');
  process.exit(EXIT.failed.code);
});

process.exit(await main(process.argv.slice(2)));
