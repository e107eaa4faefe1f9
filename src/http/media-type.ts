const ENDS_TYPE = /[;\s]/;

/** The media type in a Content-Type, without its parameters, as it was written (RFC 9110 §8.3.1); empty where none was said. */
export function mediaTypeIn(contentType: string | undefined): string {
  if (contentType === undefined) return '';
  const end = contentType.search(ENDS_TYPE);
  return end === -1 ? contentType : contentType.slice(0, end);
}
