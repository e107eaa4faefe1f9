/**
 * How a Chromium is started so that nothing passes by the proxy, and nothing goes through it that nobody has asked for.
 *
 * Source: Chromium's switches (content_switches.cc, chrome_switches.cc, network_switches.cc).
 */

/** For all of them: no UDP of WebRTC or QUIC, and nothing that the browser would load for itself. */
export const QUIET_SWITCHES = [
  '--disable-quic',
  '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--no-pings',
];

/** Those that nobody looks at. */
export const HEADLESS_SWITCHES = ['--disable-gpu', ...QUIET_SWITCHES];

/** What a Chromium with a window asks its maker about, and offers its user. */
const CHATTER = [
  '--allow-browser-signin=false',
  '--disable-extensions',
  '--disable-component-extensions-with-background-pages',
  '--disable-client-side-phishing-detection',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--disable-breakpad',
  '--disable-search-engine-choice-screen',
  '--no-default-browser-check',
  '--no-service-autorun',
  '--metrics-recording-only',
  '--password-store=basic',
  '--use-mock-keychain',
  '--disable-features=AutofillServerCommunication,CertificateTransparencyComponentUpdater,DnsOverHttps,InterestFeedContentSuggestions,MediaRouter,NetworkTimeServiceQuerying,OptimizationHints,SafeBrowsing,Translate',
];

/** Where a Chromium's own services are, which no page needs: asked for past the proxy, and then not found, so that nothing leaves the machine. */
const OWN_SERVICES = [
  'update.googleapis.com',
  'safebrowsing.googleapis.com',
  'optimizationguide-pa.googleapis.com',
  'content-autofill.googleapis.com',
  'clients2.google.com',
  'clients4.google.com',
  'edge.microsoft.com',
  'config.edge.skype.com',
  'nav.smartscreen.microsoft.com',
  // Where it is to look for its user's accounts: that is not what pages have for signing in.
  'gaia.invalid',
];

/** By the key of all certificates that the proxy makes: that of the authority would not do, as only the chain's leaf is looked at. */
export function trustSwitch(spkiSha256: string): string {
  return `--ignore-certificate-errors-spki-list=${spkiSha256}`;
}

/** Also for addresses of this machine, which a Chromium asks by itself unless it is told. */
function proxySwitches(proxyUrl: string): readonly string[] {
  return [
    `--proxy-server=${proxyUrl}`,
    `--proxy-bypass-list=${['<-loopback>', ...OWN_SERVICES].join(';')}`,
    `--host-resolver-rules=${OWN_SERVICES.map((host) => `MAP ${host} ~NOTFOUND`).join(',')}`,
    '--gaia-url=https://gaia.invalid',
  ];
}

export interface ChromiumStart {
  readonly proxyUrl: string;
  readonly spkiSha256: string;
  readonly profile: string;
  readonly headless: boolean;
  /** where to begin; undefined: an empty page */
  readonly url: string | undefined;
}

/** Windows has no users by number; only root may not have the browser's sandbox. */
export const isRoot = process.getuid?.() === 0;

/** All arguments for one in a profile of its own. */
export function chromiumArguments({ proxyUrl, spkiSha256, profile, headless, url }: ChromiumStart): readonly string[] {
  return [
    `--user-data-dir=${profile}`,
    ...proxySwitches(proxyUrl),
    trustSwitch(spkiSha256),
    ...QUIET_SWITCHES,
    ...CHATTER,
    ...(isRoot ? ['--no-sandbox', '--test-type'] : []),
    ...(headless ? ['--headless=new', '--disable-gpu'] : []),
    url ?? 'about:blank',
  ];
}
