/** Entity tags of HTTP: whether a cache has the current version (RFC 9110, sections 8.8.3 and 13.1.2). */

/**
 * Whether an `If-None-Match` header names a tag, so that 304 is the response. A weak tag equals the
 * strong one with the same text: proxies that compress a response make its tag weak.
 */
export function namesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  // No part of the text of a tag can be taken for a tag, since it has no quotation marks.
  return header.split(",").map((part) => part.trim())
    .some((part) => part === "*" || strongForm(part) === strongForm(tag));
}

function strongForm(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}
