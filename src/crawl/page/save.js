/** Bytes as a file of the visitor's. */
const KEPT_MS = 60_000;

/** @param blob whatever its type: it is saved, and never shown */
export function saveAs(blob, name) {
  const href = URL.createObjectURL(new Blob([blob], { type: 'application/octet-stream' }));
  const link = Object.assign(document.createElement('a'), { href, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(href), KEPT_MS);
}
