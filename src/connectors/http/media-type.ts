/** Media types of bodies, such as `application/json; charset=utf-8`. */

/** What a `Content-Type` says. */
export interface MediaType {
  /** In lower case, such as `application/json`; empty where there is none. */
  readonly type: string;
  /** In lower case; undefined where it is not said. */
  readonly charset: string | undefined;
}

const NONE: MediaType = { type: "", charset: undefined };

/** The last header that was read: nearly all responses of an API have the same. */
let last: readonly [string, MediaType] = ["", NONE];

/** Reads the header. */
export function mediaTypeOf(header: string | null): MediaType {
  if (header === null) return NONE;
  if (header === last[0]) return last[1];
  const [type, ...parameters] = header.toLowerCase().split(";").map((part) => part.trim());
  const charset = parameters.find((part) => part.startsWith("charset="))?.slice(8)
    .replaceAll('"', "").trim();
  const read = { type, charset: charset === "" ? undefined : charset };
  last = [header, read];
  return read;
}

/** Whether bodies of this type are JSON. */
export function isJson(type: string): boolean {
  return type === "application/json" || type.endsWith("+json") || type === "text/json";
}

const TEXTS: ReadonlySet<string> = new Set([
  ...["application/javascript", "application/x-www-form-urlencoded", "application/xml"],
  ...["application/yaml", "application/x-ndjson", "application/jsonl", "application/graphql"],
]);

/** Whether bodies of this type are text. What has no type is taken for text. */
export function isText(type: string): boolean {
  return type === "" || type.startsWith("text/") || type.endsWith("+xml") || TEXTS.has(type);
}
