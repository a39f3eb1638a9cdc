/** Why a connection failed, in words that are alike on all runtimes and have no URL in them. */
import { shownWords } from "../../base/shown.ts";

/** What errors of the runtimes say, in their code or their message, and what that means. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED|Connection refused/, "the connection was refused"],
  [/ENOTFOUND|EAI_AGAIN|dns error/, "the host was not found"],
  [/ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT|timed out/, "the host did not answer"],
  [/EHOSTUNREACH|ENETUNREACH|unreachable/, "the host cannot be reached"],
  [/ALTNAME_INVALID|NotValidForName/, "the certificate of the server is for another name"],
  [/CERT_HAS_EXPIRED|certificate: Expired/, "the certificate of the server has expired"],
  [
    /CERT|UNABLE_TO_(?:VERIFY|GET)|SELF_SIGNED|certificate/,
    "the certificate of the server is not trusted",
  ],
  [/HEADERS?_OVERFLOW|HeadersTooLarge|head is too large/, "the head of the response is too large"],
  [
    /ECONNRESET|EPIPE|UND_ERR_SOCKET|reset by peer|[Cc]onnection (?:was )?closed|Broken pipe|reading a body/,
    "the connection was lost",
  ],
  [
    /Zlib|Z_DATA|Z_BUF|incorrect header|gzip header|Brotli|unexpected end of file/,
    "its compression is damaged",
  ],
  [
    /Malformed_HTTP|InvalidHTTPResponse|InvalidContentLength|HPE_|HTTP\/1\.1 protocol|parsed|CONTENT_LENGTH_MISMATCH/,
    "the response is not HTTP",
  ],
];

/** The reason of an error of `fetch`, or of reading a body. */
export function reasonOf(error: unknown): string {
  const words: string[] = [];
  for (let cause = error; cause instanceof Error && words.length < 8; cause = cause.cause) {
    const { code, message } = cause as Error & { readonly code?: unknown };
    if (typeof code === "string") words.push(code);
    words.push(message);
  }
  const all = words.join(" ");
  const known = REASONS.find(([pattern]) => pattern.test(all))?.[1];
  return known ?? shownWords(withoutUrls(words.at(-1) ?? String(error)));
}

/** A URL may have secrets in its path or its query. */
function withoutUrls(text: string): string {
  return text.split(" ").map((word) => word.includes("://") ? "(a URL)" : word).join(" ");
}
