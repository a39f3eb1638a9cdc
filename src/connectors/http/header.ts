/** Headers of requests: which names and values can be sent. */
import { kindName } from "../../base/shown.ts";

const NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
/** Control characters, line breaks among them, and what has no byte of its own. */
const UNSENDABLE = /[^\t\x20-\x7e\x80-\xff]/;

/** What the client itself decides: how long a body is, where a message ends, which host is asked. */
const OWN: ReadonlySet<string> = new Set([
  ...["accept-encoding", "connection", "content-length", "expect", "host", "keep-alive"],
  ...["proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"],
]);

/** What is wrong with a header's name, as the end of a sentence; undefined where it can be sent. */
export function whyNoName(name: string): string | undefined {
  if (!NAME.test(name)) return "is not the name of a header";
  return OWN.has(name.toLowerCase()) ? "is a header that the connection sets itself" : undefined;
}

/** What is wrong with a header's value, as the end of a sentence; undefined where it can be sent. */
export function whyNoValue(value: unknown): string | undefined {
  if (!["string", "number", "boolean", "bigint"].includes(typeof value)) {
    return `is ${kindName(value)}, not text`;
  }
  if (!UNSENDABLE.test(String(value))) return undefined;
  return /[\r\n]/.test(String(value))
    ? "has a line break"
    : "has a character that no header can have";
}
