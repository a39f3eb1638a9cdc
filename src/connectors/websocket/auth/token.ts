/** Finds a token in a handshake, and takes it out for whoever looks at the handshake later. */
import type { HandshakeRequest } from "../../../transport/socket.ts";
import type { TokenSource } from "./source.ts";

/**
 * The token of a handshake: the first that is not empty, in the order of `sources`. Undefined where
 * it has none. `protocols` are the subprotocols that the client offers.
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

/** The subprotocol to answer with: the first offered that is no token. */
export function chooseProtocol(protocols: readonly string[]): string | undefined {
  return protocols.find((protocol) => !looksLikeToken(protocol));
}

/**
 * The handshake without its token, for expressions: without the query parameters and the headers
 * that `sources` name, subprotocols that are tokens, and whatever else repeats the token.
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

/** What follows `Bearer`; credentials of another scheme are no token. */
function bearerToken(value: string): string | undefined {
  return /^bearer(?:\s+(\S.*|))?$/i.exec(value)?.[1];
}

/** RFC 6265: the first cookie of this name. A value that no cookie can have is passed over. */
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
 * A subprotocol that is a token, whole or in pieces: base64url parts of which the first begins as
 * `{` of a JSON object does. Names such as `graphql-ws` or `wamp.2.json` do not look like that.
 */
function looksLikeToken(protocol: string): boolean {
  return /^ey[\w-]*\.[\w.-]*$/.test(protocol);
}

/** The header that holds nothing but the token, or nothing that expressions need. */
function headerOf(source: TokenSource): string | undefined {
  if (source.kind === "header") return source.name;
  return source.kind === "cookie" ? "cookie" : undefined;
}
