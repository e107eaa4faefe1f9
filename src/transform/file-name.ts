/**
 * Names of uploaded files, made harmless as the reference makes them: ASCII letters, digits, `_`, `.` and `-`.
 *
 * Source: spec/circe.md §7.
 */
export function safeFileName(name: string): string {
  const ascii = name.normalize('NFKD').replace(/[^\0-\x7f]/g, '');
  const joined = ascii
    .replaceAll('/', ' ')
    .split(/\s+/)
    .filter((word) => word !== '')
    .join('_');
  return joined.replace(/[^A-Za-z0-9_.-]/g, '').replace(/^[._]+|[._]+$/g, '') || 'file';
}
