/** The WebSocket handshake: its check, the same on every runtime, and how a runtime upgrades it. */
import { plainAddress } from "./address.ts";
import type {
  HandshakeAcceptance,
  HandshakeRefusal,
  HandshakeRequest,
  SocketEndpoint,
} from "./socket.ts";

/** Upgrades the requests that go through `fetch`. Each runtime has its own. */
export interface Upgrader {
  /** Upgrades a request whose handshake was accepted. Throws if it cannot. */
  upgrade(
    request: Request,
    env: unknown,
    endpoint: SocketEndpoint,
    acceptance: HandshakeAcceptance,
    received: ReceivedHandshake,
  ): Response;
  /** The client's address, or an object that looks it up. `env` is what the runtime passes to `fetch`. */
  remoteAddress(request: Request, env: unknown): AddressSource | string | null;
  /** True if the runtime has streams of the type `direct`, which say when a piece is sent. */
  readonly directStreams?: boolean;
  /** Lets the response to a request be silent for any time, if the runtime limits that. */
  keepOpen?(request: Request, env: unknown): void;
  /** The headers with names in lower case, if the runtime has a faster way to read them. */
  headers?(request: Request): Readonly<Record<string, string>>;
}

/** Looks up the address of a client while it is connected. */
export interface AddressSource {
  /** Undefined or null if it is unknown. */
  readonly remoteAddress?: string | null | undefined;
}

/** A handshake as an adapter received it. It computes what is seldom needed on demand. */
export class ReceivedHandshake implements HandshakeRequest {
  readonly method: string;
  readonly hasQuery: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly #target: string;
  readonly #parse: (target: string) => URL;
  /** The address, or an object that looks it up at the first use. */
  #address: AddressSource | string | null;

  /** `parse` makes the URL of `target`. */
  constructor(
    method: string,
    target: string,
    headers: Readonly<Record<string, string>>,
    address: AddressSource | string | null,
    parse: (target: string) => URL,
  ) {
    this.method = method;
    this.hasQuery = target.includes("?");
    this.headers = headers;
    this.#address = address;
    this.#target = target;
    this.#parse = parse;
  }

  get url(): URL {
    return this.#parse(this.#target);
  }

  get remoteAddress(): string | null {
    if (typeof this.#address === "object" && this.#address !== null) {
      const { remoteAddress } = this.#address;
      this.#address = remoteAddress ? plainAddress(remoteAddress) : null;
    }
    return this.#address;
  }

  /** Looks the address up in `source` from now on. */
  learnAddressFrom(source: AddressSource): void {
    if (typeof this.#address !== "string") this.#address = source;
  }
}

/** The subprotocols that a valid handshake offers, or the refusal of an invalid one. */
export type CheckedHandshake =
  | { readonly accepted: true; readonly protocols: readonly string[] }
  | HandshakeRefusal;

/** 16 bytes of base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;
/** The name of a subprotocol, by RFC 9110. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Checks the method, the upgrade, the version, the key and the subprotocols, in this order. The
 * names in `headers` are in lower case.
 */
export function checkHandshake(
  method: string,
  headers: Readonly<Record<string, string>>,
): CheckedHandshake {
  if (method !== "GET") {
    return refuse(405, "a WebSocket handshake must be a GET request", { allow: "GET" });
  }
  const upgrades = /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(headers["connection"] ?? "");
  if (!upgrades || headers["upgrade"]?.toLowerCase() !== "websocket") {
    return refuse(426, "this path accepts WebSocket connections only", {
      connection: "Upgrade",
      upgrade: "websocket",
    });
  }
  if (headers["sec-websocket-version"] !== "13") {
    return refuse(426, "the WebSocket version must be 13", {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
    });
  }
  if (!KEY.test(headers["sec-websocket-key"] ?? "")) {
    return refuse(400, "Sec-WebSocket-Key must be 16 bytes of base64");
  }
  const offered = headers["sec-websocket-protocol"];
  if (offered === undefined) return { accepted: true, protocols: [] };
  const protocols = offered.split(",").map((name) => name.trim());
  if (!protocols.every((name) => TOKEN.test(name))) {
    return refuse(400, "Sec-WebSocket-Protocol contains an invalid name");
  }
  if (new Set(protocols).size !== protocols.length) {
    return refuse(400, "Sec-WebSocket-Protocol contains a name twice");
  }
  return { accepted: true, protocols };
}

/** Refuses a handshake with a plain response. */
export function refuse(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
  code?: string,
): HandshakeRefusal {
  return { accepted: false, status, message, headers, ...(code !== undefined && { code }) };
}
