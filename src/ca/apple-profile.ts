/**
 * The authority's certificate as a configuration profile of Apple's systems, which iOS asks about when it is opened. Never the key.
 *
 * It only installs the certificate: on iOS a person has to switch full trust on as well (Settings, General, About, Certificate Trust Settings).
 * Source: Apple, Configuration Profile Reference (com.apple.security.root).
 */
import { createHash } from 'node:crypto';
import type { CertificateAuthority } from './authority.ts';

/** The media type that iOS and macOS open profiles by. */
export const APPLE_PROFILE_TYPE = 'application/x-apple-aspen-config';

/** @returns a property list in XML; the same certificate gives the same profile, so that installing it again replaces it */
export function appleProfile(ca: Pick<CertificateAuthority, 'certificate'>): string {
  const { raw } = ca.certificate;
  const name = nameOf(ca);
  const uuid = (of: string) => uuidOf(createHash('sha256').update(of).update(raw).digest());
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>PayloadType</key><string>Configuration</string>
  <key>PayloadVersion</key><integer>1</integer>
  <key>PayloadIdentifier</key><string>warctap.ca.${uuid('profile')}</string>
  <key>PayloadUUID</key><string>${uuid('profile')}</string>
  <key>PayloadDisplayName</key><string>${escaped(name)}</string>
  <key>PayloadDescription</key><string>The certificate authority of a web archiving proxy. Whoever trusts it lets the proxy open HTTPS.</string>
  <key>PayloadContent</key>
  <array>
    <dict>
      <key>PayloadType</key><string>com.apple.security.root</string>
      <key>PayloadVersion</key><integer>1</integer>
      <key>PayloadIdentifier</key><string>warctap.ca.${uuid('certificate')}</string>
      <key>PayloadUUID</key><string>${uuid('certificate')}</string>
      <key>PayloadDisplayName</key><string>${escaped(name)}</string>
      <key>PayloadCertificateFileName</key><string>warctap-ca.cer</string>
      <key>PayloadContent</key>
      <data>${raw.toString('base64')}</data>
    </dict>
  </array>
</dict>
</plist>
`;
}

/** The common name of its subject, by which systems list it. */
export function nameOf({ certificate }: Pick<CertificateAuthority, 'certificate'>): string {
  return /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? 'warctap CA';
}

/** RFC 9562 §5.8, of bytes that are as good as random. */
function uuidOf(digest: Buffer): string {
  const bytes = Buffer.from(digest.subarray(0, 16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    .toUpperCase();
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign] ?? '');
}
