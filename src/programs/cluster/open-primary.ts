/**
 * What the primary process opens and looks at before any worker is there, so that what keeps a proxy from starting is told once.
 */
import { hostname as machineName, tmpdir } from 'node:os';
import { createEncoder } from '../../warc/codec/encoders.ts';
import type { ResolvedOptions } from '../../options/table.ts';
import type { Log } from '../../util/log.ts';
import type { Indexes } from '../../warc/write/indexes.ts';
import type { FileLock } from '../../warc/write/output.ts';
import type { Finished } from '../../finished/finished.ts';
import { authenticatorOf, metaSecretOf } from '../access-files.ts';
import { openCertificates } from '../certificates.ts';
import { openFinished } from '../finished-steps.ts';
import { indexesOf, lockOf, prepareFolders, templateOf } from '../open.ts';
import { spoolShare } from '../space.ts';
import { openStores, type OwnStores } from '../stores.ts';
import { warnIfOpen } from '../listening.ts';
import { Distributor } from './distributor.ts';

export interface OpenPrimary {
  /** what depends on the machine is looked up */
  readonly options: ResolvedOptions;
  readonly stores: OwnStores;
  readonly lock: FileLock | undefined;
  /** of files whose worker has died */
  readonly indexes: Indexes | undefined;
  /** what is done with WARC files that are closed, for all of them */
  readonly finished: Finished | undefined;
  /** listening */
  readonly doors: { readonly proxy: Distributor; readonly playback?: Distributor };
}

/** @throws OptionError, or an error whose message is one line */
export async function openPrimary(options: ResolvedOptions, log: Log): Promise<OpenPrimary> {
  const login = await authenticatorOf(options, log);
  await metaSecretOf(options, log);
  const encoder = createEncoder(options.gzip ? 'gzip' : 'none');
  templateOf(options, encoder.suffix, machineName());
  await encoder.close();
  await prepareFolders(options);
  const { leaves } = await openCertificates(options, log);
  await leaves.close();
  // A name would be resolved to either loopback address, and clients try 127.0.0.1.
  const address = options.address === 'localhost' ? '127.0.0.1' : options.address;
  const lock = lockOf(options);
  const { port, playbackPort, maxConnections } = options;
  const stores = await openStores({ options, playbackIndex: playbackPort !== undefined, lock, log });
  const indexes = indexesOf(options, log);
  await indexes?.makeMissing(() => false);
  const finished = await openFinished(options, log);
  const maxSpool = options.maxSpool ?? (await spoolShare(tmpdir()));
  const proxy = new Distributor('proxy', maxConnections, log);
  const playback = playbackPort === undefined ? undefined : new Distributor('playback', maxConnections, log);
  try {
    await proxy.listen({ address, port, portFlag: '--port' });
    if (playbackPort !== undefined) await playback?.listen({ address, port: playbackPort, portFlag: '--playback-port' });
  } catch (error) {
    for (const door of [proxy, playback]) door?.close();
    await stores.databases.close();
    await finished?.close();
    throw error;
  }
  warnIfOpen(proxy.address.address, login !== undefined, log);
  return {
    options: { ...options, maxSpool },
    stores,
    lock,
    indexes,
    finished,
    doors: playback === undefined ? { proxy } : { proxy, playback },
  };
}
