/** What a WebSocket client's deeds look like to a flow. */
import { isObject } from "../../base/json.ts";
import type { Client, FlowEvent } from "../../contract/connector.ts";
import type { HandshakeRequest } from "../../transport/socket.ts";
import type { Credentials } from "./auth/credentials.ts";
import type { CloseReason } from "./closing.ts";

/** What of a handshake expressions see. */
export type SeenHandshake = Pick<
  HandshakeRequest,
  "url" | "hasQuery" | "headers" | "remoteAddress"
>;

/**
 * The facts of a connection, for expressions. `rooms` and the claims are read when they are asked
 * for: a client joins and renews its token. `connectedAt` is in milliseconds since the epoch.
 */
export function describeClient(
  request: SeenHandshake,
  credentials: Pick<Credentials, "identity">,
  rooms: ReadonlySet<string>,
  connectedAt: number,
): Client {
  return {
    id: crypto.randomUUID(),
    // A renewal never changes it.
    user_id: credentials.identity.userId,
    get claims() {
      return credentials.identity.claims;
    },
    // Of a repeated parameter the first counts, here as in `user_id`.
    params: request.hasQuery === false
      ? {}
      : Object.fromEntries([...request.url.searchParams].reverse()),
    headers: request.headers,
    get rooms() {
      return [...rooms];
    },
    remote_addr: request.remoteAddress,
    connected_at: new Date(connectedAt).toISOString(),
  };
}

/** One event of one connection. */
export class SocketEvent implements FlowEvent {
  readonly operation: string;
  readonly payload: unknown;
  readonly client: Client;
  readonly #room: string | undefined;
  readonly #metadata: Readonly<Record<string, unknown>> | undefined;
  #input: Readonly<Record<string, unknown>> | undefined;

  /** `room` is the frame's own; `metadata` is what else the operation adds to `input`. */
  constructor(
    operation: string,
    payload: unknown,
    client: Client,
    room: string | undefined,
    metadata?: Readonly<Record<string, unknown>>,
  ) {
    this.operation = operation;
    this.payload = payload;
    this.client = client;
    this.#room = room;
    this.#metadata = metadata;
  }

  /** Payload fields first, so that no client can pass data off as metadata. */
  get input(): Readonly<Record<string, unknown>> {
    return this.#input ??= this.#makeInput();
  }

  #makeInput(): Readonly<Record<string, unknown>> {
    // Spreading defines its keys one by one, so that "__proto__" is a key like any other.
    const input: Record<string, unknown> = isObject(this.payload) ? { ...this.payload } : {};
    input.data = this.payload;
    input.event = this.operation;
    input.client_id = this.client.id;
    input.user_id = this.client.user_id;
    if (this.#room !== undefined) input.room = this.#room;
    return this.#metadata === undefined ? input : { ...input, ...this.#metadata };
  }
}

/** The event of a connection's end. `duration` is how long it was open, in milliseconds. */
export function endEvent(client: Client, why: CloseReason, duration: number): SocketEvent {
  const facts = { ...why, rooms: client.rooms, duration_ms: Math.round(duration) };
  return new SocketEvent("disconnect", facts, client, undefined, facts);
}
