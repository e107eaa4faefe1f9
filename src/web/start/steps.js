/**
 * How each system and program comes to trust the proxy and is led through it.
 *
 * Texts with code between backticks; a list within is a command. What is to be filled in is given: `origin` of this page, `proxy` as
 * `host:port`, `host`, `port`, `pac`, `login`, and
 * `through`: this page itself has come through the proxy.
 */

const fetched = ({ origin, through, proxy, login }, name) => {
  const way = through ? `--proxy http://${proxy} ${login ? '--proxy-user NAME ' : ''}` : login ? '--user NAME ' : '';
  return [`curl ${way}-o ${name} ${origin}/ca/${name}`];
};
const manual = ({ host, port }) => `address \`${host}\`, port \`${port}\`, for HTTP and HTTPS`;

export const SYSTEMS = [
  {
    id: 'windows',
    title: 'Windows',
    trust: () => [
      'Load the DER file above and open it. “Install Certificate…”, for the current user, “Place all certificates in the following store”: “Trusted Root Certification Authorities”. Chrome and Edge go by that store.',
      ['certutil -user -addstore Root warctap-ca.cer'],
    ],
    proxy: (at) => [
      `Settings → Network & internet → Proxy → “Use setup script”: \`${at.pac}\``,
      `Or by hand, in the same place under “Manual proxy setup”: ${manual(at)}.`,
    ],
    undo: ({ authority }) => [
      [`certutil -user -delstore Root "${authority}"`],
      'Or `certmgr.msc`, Trusted Root Certification Authorities.',
    ],
  },
  {
    id: 'macos',
    title: 'macOS',
    trust: () => [
      'Load the DER file above and open it: Keychain Access adds it to the login keychain. Open it there, “Trust”, “When using this certificate”: “Always Trust”. Safari and Chrome go by that.',
      ['security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db warctap-ca.cer'],
    ],
    proxy: (at) => [
      `System Settings → Network → the connection → Details → Proxies → “Automatic proxy configuration”: \`${at.pac}\``,
      [`networksetup -setautoproxyurl Wi-Fi ${at.pac}`],
    ],
    undo: () => [['security remove-trusted-cert warctap-ca.cer'], ['networksetup -setautoproxystate Wi-Fi off']],
  },
  {
    id: 'ios',
    title: 'iPhone, iPad',
    trust: () => [
      'Open the Apple profile above in Safari and allow the download.',
      'Settings → General → VPN & Device Management: install the profile.',
      'Settings → General → About → Certificate Trust Settings: switch it on.',
    ],
    proxy: (at) => [`Settings → Wi-Fi → the network’s ⓘ → Configure Proxy → Automatic: \`${at.pac}\``, `Or “Manual”: ${manual(at)}.`],
    undo: () => ['Remove the profile where it was installed, and set the proxy to “Off”.'],
  },
  {
    id: 'android',
    title: 'Android',
    trust: () => [
      'Load the DER file above. Settings → Security → Encryption & credentials → Install a certificate → CA certificate.',
      'Chrome goes by it. Apps do only where their makers let them, and Firefox only once “Use third party CA certificates” is on (Settings → About Firefox, tap the logo five times, Secret Settings).',
    ],
    proxy: (at) => [
      `Settings → Wi-Fi → the network → Edit → Advanced → Proxy → “Proxy Auto-Config”: \`${at.pac}\``,
      `Or “Manual”: ${manual(at)}.`,
    ],
    undo: () => ['Settings → Security → Encryption & credentials → User credentials.'],
  },
  {
    id: 'linux',
    title: 'Linux',
    trust: (at) => [
      'Chromium and Chrome have a store of their own (`certutil` is in libnss3-tools or nss-tools):',
      fetched(at, 'warctap-ca.pem'),
      ['certutil -d sql:$HOME/.pki/nssdb -A -n warctap -t C,, -i warctap-ca.pem'],
      'Programs that go by the system’s store, on Debian and Ubuntu:',
      ['sudo cp warctap-ca.pem /usr/local/share/ca-certificates/warctap-ca.crt && sudo update-ca-certificates'],
      'The same on Fedora:',
      ['sudo cp warctap-ca.pem /etc/pki/ca-trust/source/anchors/ && sudo update-ca-trust'],
    ],
    proxy: (at) => [
      'A browser in a profile of its own:',
      [`chromium --user-data-dir=$HOME/archiving --disable-quic --proxy-server=http://${at.proxy}`],
      'Programs that go by the environment:',
      [`export http_proxy=http://${at.proxy} https_proxy=http://${at.proxy}`],
    ],
    undo: () => [['certutil -d sql:$HOME/.pki/nssdb -D -n warctap']],
  },
  {
    id: 'firefox',
    title: 'Firefox',
    trust: () => [
      'Load the PEM file above. Settings → Privacy & Security → Certificates → View Certificates → Authorities → Import, “Trust this CA to identify websites”.',
    ],
    proxy: (at) => [
      `Settings → General → Network Settings → “Automatic proxy configuration URL”: \`${at.pac}\``,
      `Or “Manual proxy configuration”: ${manual(at)}.`,
      'In `about:config` set `network.http.http3.enable` to false: HTTP/3 goes past any proxy.',
    ],
    undo: () => ['The same list of authorities: “Delete or Distrust”.'],
  },
  {
    id: 'curl',
    title: 'curl',
    trust: (at) => [fetched(at, 'warctap-ca.pem')],
    proxy: (at) => [[`curl --proxy http://${at.proxy} --cacert warctap-ca.pem https://example.com/`]],
  },
  {
    id: 'python',
    title: 'Python',
    trust: (at) => [fetched(at, 'warctap-ca.pem'), ['export REQUESTS_CA_BUNDLE=$PWD/warctap-ca.pem SSL_CERT_FILE=$PWD/warctap-ca.pem']],
    proxy: (at) => [
      [`export HTTP_PROXY=http://${at.proxy} HTTPS_PROXY=http://${at.proxy}`],
      'requests, urllib and httpx go by these variables; aiohttp with `ClientSession(trust_env=True)`.',
    ],
  },
  {
    id: 'node',
    title: 'Node',
    trust: (at) => [fetched(at, 'warctap-ca.pem'), ['export NODE_EXTRA_CA_CERTS=$PWD/warctap-ca.pem']],
    proxy: (at) => [
      'Node 24 and later:',
      [`export NODE_USE_ENV_PROXY=1 HTTP_PROXY=http://${at.proxy} HTTPS_PROXY=http://${at.proxy}`],
      'Older ones: `ProxyAgent` of the package `undici`.',
    ],
  },
  {
    id: 'java',
    title: 'Java',
    trust: (at) => [fetched(at, 'warctap-ca.p12'), 'It then is all that the program trusts.'],
    proxy: ({ host, port, password }) => [
      [
        `java -Dhttp.proxyHost=${host} -Dhttp.proxyPort=${port} -Dhttps.proxyHost=${host} -Dhttps.proxyPort=${port} -Djavax.net.ssl.trustStore=warctap-ca.p12 -Djavax.net.ssl.trustStorePassword=${password} …`,
      ],
    ],
  },
];

/** The system that this page is opened on. @param agent as of `navigator.userAgent`. @param touches of a finger at a time */
export function systemOf(agent, touches = 0) {
  if (/android/i.test(agent)) return 'android';
  // An iPad says that it is a Mac.
  if (/iphone|ipad|ipod/i.test(agent) || (/macintosh/i.test(agent) && touches > 1)) return 'ios';
  if (/firefox\//i.test(agent)) return 'firefox';
  if (/windows/i.test(agent)) return 'windows';
  return /macintosh|mac os x/i.test(agent) ? 'macos' : 'linux';
}
