/** Where a handshake may carry a token (the `from` attribute), and how it is found and hidden. */
import * as v from "valibot";
import { didYouMean } from "../../base/nearest.ts";
import { type ValueSchema, valueSchema } from "../../contract/value-schema.ts";
import type { HandshakeRequest } from "../../transport/socket.ts";

/** One place of a handshake. */
export type TokenSource =
  | {
    readonly kind: "query" | "header" | "cookie";
    /** As in the handshake; the name of a header is in lower case. */
    readonly name: string;
  }
  | { readonly kind: "protocol" };

/** The kinds of places. */
export type TokenKind = TokenSource["kind"];

const FORM = "must be a list of places";
const KINDS = ["query", "header", "cookie", "protocol"] as const;
/** RFC 9110: the name of a header or a cookie. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Headers that contain more than a token, and the place that reads the token from them. */
const PARTS: Readonly<Record<string, string>> = {
  cookie: "cookie:NAME",
  "sec-websocket-protocol": "protocol",
};

/** A list of places of these kinds, such as `["query:token", "protocol"]`. */
export function tokenSources(
  kinds: readonly TokenKind[] = KINDS,
): ValueSchema<readonly TokenSource[]> {
  const examples = examplesOf(kinds);
  return valueSchema(
    "list of places",
    v.pipe(
      v.array(v.string(`${FORM}\neach is ${examples}`), `${FORM}\neach is ${examples}`),
      v.minLength(1, `${FORM} with at least one\n${examples}`),
      v.rawTransform<string[], readonly TokenSource[]>(
        ({ dataset: { value }, addIssue, NEVER }) => {
          const sources = value.map((written) => readSource(written, kinds));
          const bad = sources.findIndex((source) => typeof source === "string");
          if (bad >= 0) {
            addIssue({ message: `has ${JSON.stringify(value[bad])}, ${sources[bad]}` });
            return NEVER;
          }
          return sources as TokenSource[];
        },
      ),
    ),
  );
}

/** The places in words, such as `"header:NAME" or "protocol"`. */
function examplesOf(kinds: readonly TokenKind[]): string {
  const places = kinds.map((kind) => kind === "protocol" ? '"protocol"' : `"${kind}:NAME"`);
  return [places.slice(0, -1).join(", "), ...places.slice(-1)].join(" or ");
}

/** Returns a place, or what is wrong with it; a second line is the hint. */
function readSource(written: string, kinds: readonly TokenKind[]): TokenSource | string {
  if (written === "protocol") {
    if (kinds.includes("protocol")) return { kind: "protocol" };
    return `which only a WebSocket has\none of ${examplesOf(kinds)}`;
  }
  const [, prefix, rest] = /^([^:]*)(?::(.*))?$/s.exec(written) ?? [];
  const kind = kinds.find((known) => known === prefix);
  if (kind === undefined) {
    const hint = didYouMean(prefix ?? "", kinds) ?? `one of ${examplesOf(kinds)}`;
    return `which is not a place\n${hint}`;
  }
  if (kind === "protocol") return 'which must not have a name\nwrite it as "protocol"';
  if (rest === undefined || rest === "") return `which has no name\nwrite it as "${kind}:NAME"`;
  if (kind === "query") return { kind, name: rest };
  if (!NAME.test(rest)) return `whose name is not valid for a ${kind}`;
  if (kind === "cookie") return { kind, name: rest };
  const name = rest.toLowerCase();
  if (!Object.hasOwn(PARTS, name)) return { kind, name };
  const { [name]: part } = PARTS;
  const hint = kinds.some((known) => part.startsWith(known))
    ? `write it as "${part}"`
    : `one of ${examplesOf(kinds)}`;
  return `which contains more than a token\n${hint}`;
}

/**
 * Returns the first token in a handshake that is not empty, in the order of `sources`; undefined where
 * there is none. `protocols` are the subprotocols that the client offers.
 */
export function findToken(
  request: HandshakeRequest,
  protocols: readonly string[],
  sources: readonly TokenSource[],
): string | undefined {
  for (const source of sources) {
    const token = tokenAt(source, request, protocols);
    if (token !== undefined && token !== "") return token;
  }
  return undefined;
}

/** The subprotocol to answer with: the first one offered that is not a token. */
export function chooseProtocol(protocols: readonly string[]): string | undefined {
  return protocols.find((protocol) => !looksLikeToken(protocol));
}

/**
 * The handshake without its token, for expressions: without the query parameters and the headers that
 * `sources` name, the subprotocols that are tokens, and everything else that repeats the token.
 */
export function withoutToken(
  request: HandshakeRequest,
  token: string | undefined,
  sources: readonly TokenSource[],
): HandshakeRequest {
  const repeats = (text: string) => token !== undefined && text.includes(token);
  const url = new URL(request.url);
  const parameters = new Set(sources.flatMap((s) => s.kind === "query" ? s.name : []));
  for (const [name, value] of [...url.searchParams]) {
    if (parameters.has(name) || repeats(value)) url.searchParams.delete(name);
  }
  const hidden = new Set(sources.map(headerOf));
  const offersToken = request.headers["sec-websocket-protocol"]
    ?.split(",").some((protocol) => looksLikeToken(protocol.trim()));
  if (offersToken) hidden.add("sec-websocket-protocol");
  const headers = Object.entries(request.headers)
    .filter(([name, value]) => !hidden.has(name) && !repeats(value));
  const { method, remoteAddress } = request;
  return { method, url, headers: Object.fromEntries(headers), remoteAddress };
}

function tokenAt(
  source: TokenSource,
  request: HandshakeRequest,
  protocols: readonly string[],
): string | undefined {
  const { headers } = request;
  const header = (name: string) => Object.hasOwn(headers, name) ? headers[name] : undefined;
  switch (source.kind) {
    case "query":
      return request.url.searchParams.get(source.name) ?? undefined;
    case "header": {
      const value = header(source.name)?.trim();
      return source.name === "authorization" ? value && bearerToken(value) : value;
    }
    case "cookie":
      return cookieValue(header("cookie") ?? "", source.name);
    case "protocol":
      return protocols.find(looksLikeToken);
  }
}

/** The text after `Bearer`. Credentials of another scheme are not a token. */
function bearerToken(value: string): string | undefined {
  return /^bearer(?:\s+(\S.*|))?$/i.exec(value)?.[1];
}

/** RFC 6265: the first cookie with this name. An invalid value is ignored. */
function cookieValue(header: string, name: string): string | undefined {
  for (const pair of header.split(";")) {
    const [, key, quoted, plain] = COOKIE.exec(pair.trim()) ?? [];
    const value = quoted ?? plain;
    if (key === name && value !== "") return value;
  }
  return undefined;
}

/** A name, and a value of cookie octets in quotes or without. */
const COOKIE =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:"([\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*)"|([\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*))$/;

/**
 * Whether a subprotocol is a token, whole or in part: base64url parts, of which the first starts like
 * the `{` of a JSON object, or one such part that starts with `{"`. Names such as `graphql-ws` and
 * `wamp.2.json` do not match.
 */
function looksLikeToken(protocol: string): boolean {
  return /^(?:eyJ[\w.-]*|ey[\w-]*\.[\w.-]*)$/.test(protocol);
}

/** The header that contains only the token, or nothing else that expressions need. */
function headerOf(source: TokenSource): string | undefined {
  if (source.kind === "header") return source.name;
  return source.kind === "cookie" ? "cookie" : undefined;
}
