/** The form of a WebSocket handshake, judged the same way on every runtime. */

import type { HandshakeRefusal, HandshakeRequest } from "./socket.ts";

/** What knows the address of a peer while the connection lasts. */
export interface AddressSource {
  /** Undefined or null where it is not known, or not any more. */
  readonly remoteAddress?: string | null | undefined;
}

/** The facts of a handshake as an adapter finds them: what is seldom asked for is found when it is. */
export class ReceivedHandshake implements HandshakeRequest {
  readonly method: string;
  readonly hasQuery: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly #target: string;
  readonly #parse: (target: string) => URL;
  /** The address, or until somebody asks for it what knows it. */
  #address: AddressSource | string | null;

  /** `target` is what `parse` makes the URL of. */
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
      this.#address = this.#address.remoteAddress ?? null;
    }
    return this.#address;
  }

  /** From now on `source` knows the address. */
  learnAddressFrom(source: AddressSource): void {
    if (typeof this.#address !== "string") this.#address = source;
  }
}

/** What the form of a handshake says. */
export type HandshakeForm =
  | { readonly accepted: true; readonly protocols: readonly string[] }
  | HandshakeRefusal;

/** 16 bytes of base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;
/** RFC 9110: what a subprotocol's name is made of. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Checks method, upgrade, version, key and subprotocols, in this order. `headers` has names in
 * lower case.
 */
export function checkHandshake(
  method: string,
  headers: Readonly<Record<string, string>>,
): HandshakeForm {
  if (method !== "GET") {
    return refuse(405, "a WebSocket handshake is a GET", { allow: "GET" });
  }
  const upgrades = /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(headers["connection"] ?? "");
  if (!upgrades || headers["upgrade"]?.toLowerCase() !== "websocket") {
    return refuse(426, "this path speaks WebSocket", {
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
    return refuse(400, "Sec-WebSocket-Protocol has a malformed name");
  }
  if (new Set(protocols).size !== protocols.length) {
    return refuse(400, "Sec-WebSocket-Protocol names one twice");
  }
  return { accepted: true, protocols };
}

/** A handshake that ends with a plain response. */
export function refuse(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): HandshakeRefusal {
  return { accepted: false, status, message, headers };
}
