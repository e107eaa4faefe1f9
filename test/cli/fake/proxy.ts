/**
 * A proxy that only pretends, for tests of the command line. It prints the options it was given, and does as the variable FAKE says.
 */
import { pbkdf2 } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { RunningProxy } from '../../../src/cli/commands/proxy.ts';
import { OptionError } from '../../../src/options/error.ts';
import { resolveOptions } from '../../../src/options/resolve.ts';
import type { WarctapOptions } from '../../../src/options/table.ts';
import type { Log } from '../../../src/util/log.ts';
import { NO_FIGURES } from '../figures.ts';

export async function createProxy({ log, ...options }: WarctapOptions & { log: Log }): Promise<RunningProxy> {
  const fake = process.env.FAKE;
  const resolved = resolveOptions(options, { hostname: 'machine' });
  if (fake === 'port in use') {
    throw Object.assign(new Error('listen EADDRINUSE: address already in use 127.0.0.1:8000'), {
      code: 'EADDRINUSE',
      syscall: 'listen',
      address: '127.0.0.1',
      port: 8000,
    });
  }
  if (fake === 'late option error') throw new OptionError('warcFilename', options.warcFilename, 'known variables');
  if (fake === 'many lines') throw new Error('the CA is broken\nand here is why\n');
  await Promise.resolve();
  process.stdout.write(`${JSON.stringify(resolved)}\n`);
  log.debug({ socksProxyPassword: resolved.socksProxyPassword, nested: { socksProxyPassword: resolved.socksProxyPassword } }, 'details');
  // Something that keeps the process alive, as a listener does.
  const open = setInterval(() => undefined, 1000);
  return Object.assign(new EventEmitter(), {
    url: 'http://127.0.0.1:8000',
    caFile: resolved.cacert,
    warcDir: resolved.dir,
    figures: () => NO_FIGURES,
    close: async () => {
      log.info({}, 'closing');
      if (fake === 'hangs on close') {
        // Occupies a thread of the pool for long, which process.exit() would wait for.
        pbkdf2('', '', 1e9, 64, 'sha512', () => undefined);
        await new Promise(() => undefined);
      }
      if (fake === 'fails on close') throw new Error('disk gone');
      clearInterval(open);
    },
  }).once('newListener', function (this: EventEmitter) {
    if (fake === 'fatal') setImmediate(() => this.emit('fatal', new Error('no space left on device')));
    if (fake === 'fault') setImmediate(() => (undefined as unknown as { nothing: () => void }).nothing());
  });
}
