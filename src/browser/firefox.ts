/**
 * A profile for Firefox: behind a proxy, with an authority that it trusts, and without what it would ask its maker about.
 *
 * Owns the profile's files. Trust is a certificate in the profile's own database, which only NSS's certutil can write.
 * Source: Firefox's StaticPrefList.yaml and all.js (names), NSS certutil(1); remote settings are off only together with `FIREFOX_ENV`.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { codeOf, reasonOf } from '../util/thrown.ts';
import { NoBrowserError } from './errors.ts';

export interface FirefoxStart {
  readonly proxy: { readonly host: string; readonly port: number };
  /** file of the authority's certificate, PEM */
  readonly caFile: string;
  readonly profile: string;
  readonly headless: boolean;
  readonly url: string | undefined;
}

export const FIREFOX_ENV = { MOZ_REMOTE_SETTINGS_DEVTOOLS: '1', MOZ_CRASHREPORTER_DISABLE: '1' };

const NICKNAME = 'warctap';

function prefsOf({ host, port }: FirefoxStart['proxy']): Readonly<Record<string, string | number | boolean>> {
  return {
    'network.proxy.type': 1,
    'network.proxy.http': host,
    'network.proxy.http_port': port,
    'network.proxy.ssl': host,
    'network.proxy.ssl_port': port,
    'network.proxy.no_proxies_on': '',
    'network.proxy.allow_hijacking_localhost': true,
    // Nothing passes by the proxy.
    'network.proxy.failover_direct': false,
    'network.http.http3.enable': false,
    'network.trr.mode': 5,
    'media.peerconnection.ice.proxy_only': true,
    'network.dns.disablePrefetch': true,
    'network.prefetch-next': false,
    'network.predictor.enabled': false,
    'network.http.speculative-parallel-limit': 0,
    'browser.urlbar.speculativeConnect.enabled': false,
    // Nothing goes through it that nobody has asked for.
    'app.normandy.enabled': false,
    'app.update.auto': false,
    'app.update.disabledForTesting': true,
    'app.update.enabled': false,
    'browser.aboutwelcome.enabled': false,
    'browser.contentblocking.introCount': 99,
    'browser.discovery.enabled': false,
    'browser.newtabpage.enabled': false,
    'browser.newtabpage.activity-stream.feeds.section.topstories': false,
    'browser.newtabpage.activity-stream.feeds.system.topstories': false,
    'browser.newtabpage.activity-stream.feeds.telemetry': false,
    'browser.newtabpage.activity-stream.feeds.topsites': false,
    'browser.newtabpage.activity-stream.showSponsoredTopSites': false,
    'browser.newtabpage.activity-stream.unifiedAds.adsFeed.enabled': false,
    'browser.newtabpage.activity-stream.unifiedAds.endpoint': '',
    'browser.newtabpage.activity-stream.unifiedAds.spocs.enabled': false,
    'browser.newtabpage.activity-stream.unifiedAds.tiles.enabled': false,
    'browser.newtabpage.activity-stream.unifiedAds.ohttp.enabled': false,
    'browser.region.network.url': '',
    'browser.safebrowsing.blockedURIs.enabled': false,
    'browser.safebrowsing.downloads.enabled': false,
    'browser.safebrowsing.malware.enabled': false,
    'browser.safebrowsing.phishing.enabled': false,
    'browser.safebrowsing.update.enabled': false,
    'browser.search.suggest.enabled': false,
    'browser.search.update': false,
    'browser.shell.checkDefaultBrowser': false,
    'browser.startup.homepage': 'about:blank',
    'browser.startup.homepage_override.mstone': 'ignore',
    'browser.startup.page': 0,
    'browser.tabs.warnOnClose': false,
    'browser.uitour.enabled': false,
    'datareporting.healthreport.uploadEnabled': false,
    'datareporting.policy.dataSubmissionEnabled': false,
    'datareporting.policy.dataSubmissionPolicyBypassNotification': true,
    'datareporting.usage.uploadEnabled': false,
    'dom.push.connection.enabled': false,
    'extensions.blocklist.enabled': false,
    'extensions.getAddons.cache.enabled': false,
    'extensions.systemAddon.update.enabled': false,
    'extensions.update.enabled': false,
    'media.gmp-manager.updateEnabled': false,
    'media.gmp-manager.url': 'data:,',
    'network.captive-portal-service.enabled': false,
    'network.connectivity-service.enabled': false,
    'security.OCSP.enabled': 0,
    'security.remote_settings.crlite_filters.enabled': false,
    'security.remote_settings.intermediates.enabled': false,
    'services.settings.server': 'data:,#remote-settings-dummy/v1',
    'telemetry.fog.test.localhost_port': -1,
    'toolkit.telemetry.enabled': false,
    'toolkit.telemetry.server': 'data:,',
    'toolkit.telemetry.unified': false,
    'trailhead.firstrun.didSeeAboutWelcome': true,
  };
}

/** Fill the profile's folder. @returns the arguments to start it with. @throws NoBrowserError without certutil */
export async function prepareFirefox({ proxy, caFile, profile, headless, url }: FirefoxStart): Promise<readonly string[]> {
  const lines = Object.entries(prefsOf(proxy)).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`);
  await writeFile(join(profile, 'user.js'), lines.join(''));
  await certutil('-N', '--empty-password', '-d', `sql:${profile}`);
  await certutil('-A', '-d', `sql:${profile}`, '-n', NICKNAME, '-t', 'C,,', '-i', caFile);
  return ['--profile', profile, '--no-remote', '--new-instance', ...(headless ? ['--headless'] : []), url ?? 'about:blank'];
}

async function certutil(...args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)('certutil', args);
  } catch (error) {
    const how =
      'Firefox trusts the proxy by certutil of NSS, which is not here: install it (apt install libnss3-tools), or take another browser';
    throw new NoBrowserError(codeOf(error) === 'ENOENT' ? how : `certutil: ${reasonOf(error)}`, { cause: error });
  }
}
