/** Opens what a cluster needs, starts its workers, and closes it all again when one of them cannot be started. */
import { resolveOptions } from '../../options/resolve.ts';
import { openPrimary } from './open-primary.ts';
import { ProxyCluster, type ClusterParts } from './primary.ts';

/**
 * Open what the workers share, then start them.
 *
 * @throws OptionError, or an error whose message is one line, when it cannot start
 */
export async function startCluster(parts: ClusterParts): Promise<ProxyCluster> {
  const open = await openPrimary(resolveOptions(parts.given), parts.log);
  const proxies = new ProxyCluster(parts, open);
  try {
    await proxies.start();
  } catch (error) {
    for (const door of Object.values(open.doors)) door.close();
    await open.stores.databases.close();
    await open.indexes?.close();
    await open.finished?.close();
    throw error;
  }
  return proxies;
}
