/**
 * Opens what a proxy needs, in order, and closes it again when a later thing cannot be opened.
 */
import { createResolver, type Resolve } from '../fetch/resolver.ts';
import type { ResolvedOptions } from '../options/table.ts';
import type { Log } from '../util/log.ts';
import { authenticatorOf, metaSecretOf } from './access-files.ts';
import { openCertificates } from './certificates.ts';
import { handlesFor, tellOfHandles } from './handles.ts';
import { openCore } from './open-core.ts';
import { WarctapProxy, type Later, type OneOfMany, type ProxyParts } from './proxy.ts';

/**
 * Open what the proxy needs, then listen.
 *
 * @param resolve names of origins to addresses; `others`: it is one of many processes
 * @throws OptionError, or an error whose message is one line, when it cannot start
 */
export async function startProxy(
  options: ResolvedOptions,
  log: Log,
  { resolve = createResolver(), others }: { readonly resolve?: Resolve; readonly others?: OneOfMany } = {},
): Promise<WarctapProxy> {
  const authenticator = await authenticatorOf(options, log);
  const metaSecret = await metaSecretOf(options, log);
  const later: Later = {};
  const playback = options.playbackPort !== undefined;
  const { maxConnections, maxThreads, crawlLogDir } = options;
  const wanted = { maxConnections, playback, maxExchanges: maxThreads, crawlLogs: crawlLogDir !== undefined };
  const handles = handlesFor(wanted);
  const core = await openCore({
    options,
    log,
    resolve,
    handles,
    playbackIndex: playback,
    ...(others && { among: others.among }),
    listening: () => [later.proxy?.address, later.playback?.address].filter((address) => address !== undefined),
    onSecured: ({ host, servername }) => {
      for (const name of [host, servername]) if (name !== undefined) later.leaves?.keep(name);
    },
  });
  const proxy = await putTogether({ options, core, authenticator, metaSecret, later, handles, others, log }).catch(
    async (error: unknown) => {
      await core.close();
      throw error;
    },
  );
  try {
    await proxy.listen();
  } catch (error) {
    await proxy.close();
    throw error;
  }
  tellOfHandles(wanted, handles, log);
  return proxy;
}

async function putTogether(parts: Omit<ProxyParts, 'ca' | 'leaves'>): Promise<WarctapProxy> {
  const { options, later, log } = parts;
  const { ca, leaves } = await openCertificates(options, log);
  later.leaves = leaves;
  return new WarctapProxy({ ...parts, ca, leaves });
}
