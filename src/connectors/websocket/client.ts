/** What flows see of a client: its facts and its events. */
import { isObject } from "../../base/json.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client, FlowEvent } from "../../contract/connector.ts";
import type { HandshakeRequest } from "../../transport/socket.ts";
import type { ClientIdentity } from "../../access/auth/identity.ts";
import { Credentials } from "./credentials.ts";
import type { CloseReason } from "./closing.ts";
import type { Match } from "./rooms/pattern.ts";
import type { RoomRules } from "./rooms/rules.ts";

const NO_ROOMS: ReadonlySet<string> = new Set();
const NO_NAMES: Match = Object.freeze({});

/** A client with a connection. */
export interface ConnectedClient extends Client {
  readonly id: string;
  readonly rooms: readonly string[];
  readonly connected_at: string;
}

/** The parts of a handshake that expressions see. */
export type SeenHandshake = Pick<
  HandshakeRequest,
  "url" | "hasQuery" | "headers" | "remoteAddress"
>;

/** Where a client's state comes from. */
export interface StateSources {
  readonly clock: Clock;
  /** Makes the id of the client. */
  readonly newId: () => string;
}

/**
 * One client, from its handshake to the end of its connection. Most connections are idle, so what
 * only flows need is made when they first read it.
 */
export class ClientState {
  /** Decide what `client.user_id` and `client.claims` are. */
  readonly credentials: Credentials;
  /** Dropped once the facts are made. */
  #handshake: SeenHandshake | undefined;
  /** Milliseconds since the epoch. */
  readonly #connectedAt: number;
  #rooms: Set<string> | undefined = undefined;
  #resync: Set<string> | undefined = undefined;
  #facts: ConnectedClient | undefined = undefined;
  readonly #newId: () => string;

  /** Expressions see all of `handshake`. */
  constructor(
    handshake: SeenHandshake,
    identity: ClientIdentity,
    { clock, newId }: StateSources,
  ) {
    this.credentials = new Credentials(identity);
    this.#handshake = handshake;
    this.#connectedAt = clock.now();
    this.#newId = newId;
  }

  /** The facts that expressions see, made on first use. */
  get facts(): ConnectedClient {
    return this.#facts ??= this.#makeFacts();
  }

  /** The client's id; undefined until `facts` are made, because until then nothing can know it. */
  get id(): string | undefined {
    return this.#facts?.id;
  }

  /** The rooms that it is in. */
  get rooms(): ReadonlySet<string> {
    return this.#rooms ?? NO_ROOMS;
  }

  /** Adds a room. */
  enter(room: string): void {
    (this.#rooms ??= new Set()).add(room);
  }

  /** Removes a room. */
  leave(room: string): void {
    this.#rooms?.delete(room);
    this.#resync?.delete(room);
  }

  /** Removes all rooms. */
  leaveAll(): void {
    this.#rooms?.clear();
    this.#resync = undefined;
  }

  /** The rooms of which it wants to know where messages may be missing. */
  get resync(): Iterable<string> {
    return this.#resync ?? NO_ROOMS;
  }

  /** Whether it wants to know where messages of a room may be missing. */
  wantsResync(room: string): boolean {
    return this.#resync?.has(room) ?? false;
  }

  /** Sets whether it wants to know where messages of a room may be missing. */
  setResync(room: string, wanted: boolean): void {
    if (wanted) (this.#resync ??= new Set()).add(room);
    else this.#resync?.delete(room);
  }

  /** Reads what only an open socket knows: flows may ask for it after its end. */
  remember(): void {
    void this.#handshake?.remoteAddress;
  }

  #makeFacts(): ConnectedClient {
    // The facts show the rooms of the moment, so they need the set that changes.
    this.#rooms ??= new Set();
    const facts = clientFacts(
      this.#handshake!,
      this.credentials,
      this.#rooms,
      this.#connectedAt,
      this.#newId(),
    );
    this.#handshake = undefined;
    return facts;
  }
}

/**
 * The facts of a client, for expressions. `rooms` and `claims` are read on use, because a client
 * joins rooms and renews its token. `connectedAt` is in milliseconds since the epoch.
 */
export function clientFacts(
  handshake: SeenHandshake,
  credentials: Pick<Credentials, "identity">,
  rooms: ReadonlySet<string>,
  connectedAt: number,
  id: string,
): ConnectedClient {
  return {
    id,
    // A renewal never changes it.
    user_id: credentials.identity.userId,
    get claims() {
      return credentials.identity.claims;
    },
    // The first value of a repeated parameter counts, here as in `user_id`.
    params: handshake.hasQuery === false
      ? {}
      : Object.fromEntries([...handshake.url.searchParams].reverse()),
    headers: handshake.headers,
    get rooms() {
      return [...rooms];
    },
    remote_addr: handshake.remoteAddress,
    connected_at: new Date(connectedAt).toISOString(),
  };
}

/** What a frame tells of itself. */
export interface NamedByFrame {
  /** The sender's own id of the message. */
  readonly messageId?: string | undefined;
  /** The trace that it is part of. */
  readonly traceparent?: string | undefined;
}

/** One event of one client. */
export class SocketEvent implements FlowEvent {
  readonly operation: string;
  readonly payload: unknown;
  readonly client: Client;
  readonly #room: string | undefined;
  readonly #metadata: Readonly<Record<string, unknown>> | undefined;
  readonly traceparent: string | undefined;
  readonly #messageId: string | undefined;
  readonly #rules: Pick<RoomRules, "matchOf"> | undefined;
  #input: Readonly<Record<string, unknown>> | undefined;

  /**
   * `room` and `named` are the frame's own; `metadata` is what else the operation adds to `input`;
   * `rules` have the patterns that the room may match.
   */
  constructor(
    operation: string,
    payload: unknown,
    client: Client,
    room: string | undefined,
    metadata?: Readonly<Record<string, unknown>>,
    { messageId, traceparent }: NamedByFrame = {},
    rules?: Pick<RoomRules, "matchOf">,
  ) {
    this.operation = operation;
    this.payload = payload;
    this.client = client;
    this.#room = room;
    this.#metadata = metadata;
    this.traceparent = traceparent;
    this.#messageId = messageId;
    this.#rules = rules;
  }

  /** Metadata overwrites payload fields, so that no client can pass data off as metadata. */
  get input(): Readonly<Record<string, unknown>> {
    return this.#input ??= this.#makeInput();
  }

  get match(): Match {
    return this.#room === undefined ? NO_NAMES : this.#rules?.matchOf(this.#room) ?? NO_NAMES;
  }

  get metadata(): ReadonlySet<string> {
    return new Set(Object.keys(this.#withMetadata({})));
  }

  #makeInput(): Readonly<Record<string, unknown>> {
    // Spreading defines its keys one by one, so that "__proto__" is a key like any other.
    return this.#withMetadata(isObject(this.payload) ? { ...this.payload } : {});
  }

  #withMetadata(input: Record<string, unknown>): Readonly<Record<string, unknown>> {
    input.data = this.payload;
    input.event = this.operation;
    input.client_id = this.client.id;
    input.user_id = this.client.user_id;
    if (this.#room !== undefined) input.room = this.#room;
    if (this.#messageId !== undefined) input.message_id = this.#messageId;
    return this.#metadata === undefined ? input : { ...input, ...this.#metadata };
  }
}

/** The event of a new connection. Its payload is the query parameters. */
class ConnectEvent extends SocketEvent {
  constructor(client: Client) {
    const { params, remote_addr, headers: { traceparent } } = client;
    super("connect", params, client, undefined, { remote_addr }, { traceparent });
  }

  get textFields(): ReadonlySet<string> {
    return new Set(Object.keys(this.client.params));
  }
}

/** The event of a new connection. */
export function connectEvent(client: Client): SocketEvent {
  return new ConnectEvent(client);
}

/** The event of a connection's end. `duration` is how long it was open, in milliseconds. */
export function disconnectEvent(
  client: Client,
  reason: CloseReason,
  duration: number,
): SocketEvent {
  const facts = { ...reason, rooms: client.rooms, duration_ms: Math.round(duration) };
  return new SocketEvent("disconnect", facts, client, undefined);
}
