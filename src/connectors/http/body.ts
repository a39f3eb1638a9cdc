/** The body of a response, parsed by its type. */
import { parseJson } from "../../base/json.ts";
import { quoted } from "../../base/shown.ts";
import { toBase64 } from "../../expression/bytes.ts";
import { isJson, isText, mediaTypeOf } from "./media-type.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The encodings that all runtimes undo. */
const ENCODINGS: ReadonlySet<string> = new Set(["identity", "gzip", "x-gzip", "br"]);

/** What is wrong with the encoding of a body, such as `gzip`; undefined where it can be undone. */
export function whyNotEncoded(encoding: string | null): string | undefined {
  if (encoding === null || ENCODINGS.has(encoding.trim().toLowerCase())) return undefined;
  return `in the encoding ${quoted(encoding)}, which nobody asked for`;
}

/**
 * The value of a body: JSON as data, text as text, other bytes as base64, null where it is empty.
 *
 * @throws {SyntaxError} It is not what its type says. The message has nothing of the body.
 */
export function parseBody(bytes: Uint8Array, contentType: string | null): unknown {
  if (bytes.length === 0) return null;
  const { type, charset } = mediaTypeOf(contentType);
  if (isJson(type)) return parseJson(decode(bytes, charset));
  if (isText(type)) return decode(bytes, charset);
  return toBase64(bytes);
}

function decode(bytes: Uint8Array, charset: string | undefined): string {
  if (charset === undefined || charset === "utf-8" || charset === "utf8") {
    return decodeWith(utf8, bytes, "UTF-8");
  }
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(charset, { fatal: true });
  } catch {
    throw new SyntaxError(`in the charset ${quoted(charset)}, which is not known`);
  }
  return decodeWith(decoder, bytes, charset);
}

function decodeWith(decoder: TextDecoder, bytes: Uint8Array, name: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new SyntaxError(`not valid ${name}`);
  }
}
